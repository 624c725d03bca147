"""Annotations of the images that a mixer of images mixes, as a pipeline has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures.bbox import BaseBoxes

from mmmix.functional import check_boxes
from mmmix.mixing.pair import Pair
from mmmix.mixing.placing import place_boxes, place_masks
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import MIX_SUPERVISION, MIX_WEIGHTS

from .packing import GT_MIX_VISIBILITY

_PER_BOX = ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks')


def check_mixable(item: dict) -> None:
    """Refuse results whose fields mixing would make wrong.

    Args:
        item: One image's results dict.

    Raises:
        TypeError: If there is an annotation that cannot be mixed.
        ValueError: If it has met a mixer.
    """
    name = item.get('img_path')
    if MIX_WEIGHTS in item:
        raise ValueError(
            f'{name} is already mixed ({MIX_WEIGHTS}={item[MIX_WEIGHTS]}); use one '
            'mixer'
        )
    if MIX_SUPERVISION in item:
        raise ValueError(
            f'{name} has met a mixer before ({MIX_SUPERVISION}='
            f'{item[MIX_SUPERVISION]}); use one mixer'
        )
    for key in item:
        if key == 'proposals' or (key.startswith('gt_') and key not in _PER_BOX):
            raise TypeError(
                f'{name}: {key!r} cannot be mixed; leave it out of the pipeline '
                '(LoadAnnotations(with_seg=False), no LoadProposals)'
            )
    if not isinstance(item.get('gt_bboxes'), BaseBoxes):
        raise TypeError(
            f'{name}: gt_bboxes must be boxes as LoadAnnotations(with_bbox=True, '
            "box_type='hbox'), the default, gives them, got "
            f'{type(item.get("gt_bboxes")).__name__}'
        )


def inside_only(items: Sequence[dict]) -> list[dict]:
    """Images without boxes that augmentation has moved out of them.

    Args:
        items: Results dicts.

    Raises:
        ValueError: If a box is inverted or not finite.
    """
    inside = check_boxes(
        [item['gt_bboxes'] for item in items],
        [tuple(item['img'].shape[:2]) for item in items],
        [str(item.get('img_path')) for item in items],
    )
    return [
        item if kept is None else item | _selected(item, kept.numpy())
        for item, kept in zip(items, inside)
    ]


def _selected(item: dict, kept: np.ndarray) -> dict[str, Any]:
    """What an image has per box, of the boxes with these indices."""
    return {name: item[name][kept] for name in _PER_BOX if name in item}


def union_of(
    items: Sequence[dict],
    components: Sequence[int],
    pair: Pair,
    settings: MixerSettings,
) -> tuple[dict[str, Any], list[int]]:
    """Annotations of the components as one.

    Args:
        items: Results dicts of both images.
        components: Whose boxes stay.
        pair: Geometry and λ of the two.
        settings: The mixer's.

    Returns:
        ``gt_bboxes`` and, where the images have them, ``gt_bboxes_labels``,
        ``gt_ignore_flags`` and ``gt_masks``; of clipped boxes also
        ``gt_mix_visibility``, unless only the dominant component's boxes stay. And
        the number of boxes of each component.

    Raises:
        TypeError: If masks cannot be moved or cut.
        KeyError: If one image lacks what the other has.
    """
    _check_alike([items[k] for k in components])
    placed = [_placed(items[k], k, pair, settings) for k in components]
    union = {
        name: _cat([fields[name] for fields in placed])
        for name in placed[0]
        if name != 'gt_masks'
    }
    if 'gt_masks' in placed[0]:
        clips = pair.region is not None and settings.clips
        masks = [fields['gt_masks'] for fields in placed]
        union['gt_masks'] = place_masks(masks, components, pair, clips)
    return union, [len(fields['gt_bboxes']) for fields in placed]


def _check_alike(items: Sequence[dict]) -> None:
    """Refuse images of which one has annotations that the other lacks."""
    for name in _PER_BOX:
        lacking = [item for item in items if name not in item]
        if 0 < len(lacking) < len(items):
            raise KeyError(
                f'{lacking[0].get("img_path")} has no {name!r}, which the image to mix '
                'it with has; give both the same LoadAnnotations'
            )


def _placed(
    item: dict, component: int, pair: Pair, settings: MixerSettings
) -> dict[str, Any]:
    """Annotations of a component, moved and cut, but for the masks."""
    ignored = torch.from_numpy(
        np.asarray(item.get('gt_ignore_flags', np.zeros(len(item['gt_bboxes']))), bool)
    )
    boxes, visibility, seen = place_boxes(
        item['gt_bboxes'], pair, component, settings, ignored
    )
    fields = {name: item[name] for name in _PER_BOX if name in item}
    fields['gt_bboxes'] = boxes
    if not len(boxes) and 'gt_bboxes_labels' in fields:
        fields['gt_bboxes_labels'] = fields['gt_bboxes_labels'].astype(np.int64)
    if visibility is None:
        return fields
    if not seen.all():
        fields = _selected(fields, seen.numpy().nonzero()[0])
        visibility = visibility[seen]
    if settings.keep == 'all':
        fields[GT_MIX_VISIBILITY] = visibility.numpy()
    return fields


def _cat(values: list[Any]) -> Any:
    """Concatenate arrays, or boxes."""
    if isinstance(values[0], np.ndarray):
        return np.concatenate(values)
    return type(values[0]).cat(values)
