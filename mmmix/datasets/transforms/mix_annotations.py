"""Annotations of the images that ``MixImage`` mixes, as a pipeline has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmdet.structures.bbox import BaseBoxes

from mmmix.functional import (
    Region,
    cut_boxes,
    cut_masks,
    seen_enough,
    shift_boxes,
    shift_masks,
)
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import MIX_WEIGHTS

from .packing import GT_MIX_VISIBILITY

Size = tuple[int, int]


def check_mixable(item: dict) -> None:
    """Refuse results whose fields mixing would make wrong.

    Args:
        item: One image's results dict.

    Raises:
        TypeError: If there is an annotation that cannot be mixed.
        ValueError: If it is already mixed.
    """
    name = item.get('img_path')
    if MIX_WEIGHTS in item:
        raise ValueError(
            f'{name} is already mixed ({MIX_WEIGHTS}={item[MIX_WEIGHTS]}); use one '
            'MixImage'
        )
    for key in ('gt_seg_map', 'proposals'):
        if key in item:
            raise TypeError(
                f'{name}: {key!r} cannot be mixed; leave it out of the pipeline '
                '(LoadAnnotations(with_seg=False), no LoadProposals)'
            )
    if not isinstance(item.get('gt_bboxes'), BaseBoxes):
        raise TypeError(
            f'{name}: gt_bboxes must be boxes as LoadAnnotations(with_bbox=True) '
            f'gives them, got {type(item.get("gt_bboxes")).__name__}'
        )


def placed_annotations(
    item: dict,
    component: int,
    offset: Size,
    canvas: Size,
    region: Region | None,
    settings: MixerSettings,
) -> dict[str, Any]:
    """Annotations of a component, moved and cut as its image is.

    Args:
        item: The component's results dict.
        component: 0 for the image itself, 1 for its partner.
        offset: (y, x) of the image on the canvas.
        canvas: (height, width) of the canvas.
        region: Where the partner is pasted, if it is.
        settings: The mixer's.

    Returns:
        ``gt_bboxes`` and, where ``item`` has them, ``gt_bboxes_labels``,
        ``gt_ignore_flags`` and ``gt_masks``; of clipped boxes also
        ``gt_mix_visibility``, unless only the dominant component's boxes stay.

    Raises:
        TypeError: If masks cannot be moved or cut.
    """
    names = ('gt_bboxes_labels', 'gt_ignore_flags')
    boxes = shift_boxes(item['gt_bboxes'], offset, canvas)
    fields = {
        'gt_bboxes': boxes,
        **{name: item[name] for name in names if name in item},
    }
    if 'gt_masks' in item:
        fields['gt_masks'] = shift_masks(item['gt_masks'], offset, canvas)
    if region is None or not settings.clips:
        return fields
    fields['gt_bboxes'], visibility = cut_boxes(boxes, region, component)
    if 'gt_masks' in fields:
        fields['gt_masks'] = cut_masks(fields['gt_masks'], region, component)
    seen = seen_enough(fields['gt_bboxes'], visibility, settings.min_visibility)
    if settings.keep == 'all':
        fields[GT_MIX_VISIBILITY] = visibility.numpy()
    return {name: value[seen.numpy()] for name, value in fields.items()}


def union_of(placed: list[dict[str, Any]]) -> dict[str, Any]:
    """Annotations of several components as one.

    Args:
        placed: Those of each component, with the same names.
    """
    union = {}
    for name in placed[0]:
        values = [fields[name] for fields in placed]
        is_array = isinstance(values[0], np.ndarray)
        union[name] = (
            np.concatenate(values) if is_array else type(values[0]).cat(values)
        )
    return union
