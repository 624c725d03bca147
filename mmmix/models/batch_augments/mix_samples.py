"""Annotations of a mixed sample: the union of its components'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmmix.functional import (
    check_boxes,
    cut_boxes,
    cut_masks,
    seen_enough,
    shift_boxes,
    shift_masks,
)
from mmmix.mixing.pair import Pair, Size
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import (
    MIX_BOXES,
    MIX_IDS,
    MIX_PARTNER,
    MIX_SIZES,
    MIX_VISIBILITY,
    MIX_WEIGHTS,
    dominant_component,
)

UNMIXABLE = ('gt_sem_seg', 'gt_panoptic_seg', 'proposals')
"""Fields of a sample that describe the unmixed image alone."""

_INSTANCES = ('gt_instances', 'ignored_instances')


def check_samples(samples: Sequence[DetDataSample]) -> list[Size]:
    """Check that samples can be mixed, and return their image sizes.

    Returns:
        (height, width) of each image without padding.

    Raises:
        ValueError: If a sample is already mixed, has no ``img_shape``, or a box
            that is inverted or outside its image.
        TypeError: If a sample holds a field that cannot be mixed.
    """
    for sample in samples:
        _check_fields(sample)
    sizes = [tuple(sample.img_shape[:2]) for sample in samples]
    boxes = [sample.gt_instances.bboxes for sample in samples]
    check_boxes(boxes, sizes, [_name(sample) for sample in samples])
    return sizes


def _name(sample: DetDataSample) -> str:
    return str(sample.get('img_path', 'an image without img_path'))


def _check_fields(sample: DetDataSample) -> None:
    """Refuse a sample whose fields mixing would make wrong."""
    if sample.get(MIX_WEIGHTS) is not None:
        raise ValueError(
            f'{_name(sample)} is already mixed ({MIX_WEIGHTS}='
            f'{sample.get(MIX_WEIGHTS)}); use one mixer, MixBatch or MixImage'
        )
    if 'img_shape' not in sample:
        raise ValueError(
            f"{_name(sample)} has no 'img_shape' in its metainfo; add it to meta_keys "
            'of PackDetInputs'
        )
    for field in UNMIXABLE:
        if field in sample:
            raise TypeError(
                f'{_name(sample)}: {field!r} cannot be mixed; leave it out of the '
                'pipeline (LoadAnnotations(with_seg=False), no LoadProposals)'
            )


def mix_sample(
    sample_a: DetDataSample,
    sample_b: DetDataSample,
    pair: Pair,
    settings: MixerSettings,
) -> DetDataSample:
    """The mixed sample of a pair.

    Args:
        sample_a: Component 0.
        sample_b: Component 1.
        pair: Their geometry and λ.
        settings: The mixer's; ``keep``, ``boxes`` and ``min_visibility`` count.

    Returns:
        A new sample on the pair's canvas. With ``keep='all'`` it carries
        ``mix_weights`` and ``mix_ids``, of CutMix also ``mix_boxes`` and, with
        ``boxes='clip'``, ``mix_visibility``, of ``mode='pair'`` also
        ``mix_partner`` and ``mix_sizes``; with ``'dominant'`` it is an unmixed
        sample with the boxes of the heavier component.

    Raises:
        TypeError: If polygon masks are to be clipped.
        ValueError: If the two samples' annotations have different fields.
    """
    weights = (pair.lam, 1.0 - pair.lam)
    samples = (sample_a, sample_b)
    components = [0, 1]
    mix_fields: dict[str, Any] = {MIX_WEIGHTS: weights}
    if pair.region is not None:
        mix_fields[MIX_BOXES] = settings.boxes
    if settings.pairs_only:
        mix_fields |= {MIX_PARTNER: pair.partner, MIX_SIZES: pair.sizes}
    if settings.keep == 'dominant':
        components = [dominant_component(weights)]
        mix_fields = {}
    mixed = _copy_of(sample_a)
    metainfo = _canvas_metainfo(sample_a, sample_b, pair) | mix_fields
    for name, value in metainfo.items():
        mixed.set_field(value, name, field_type='metainfo')
    for field in _INSTANCES:
        placed = [
            _place(samples[k].get(field), pair, k, settings)
            for k in components
            if field in samples[k]
        ]
        if placed:
            merged = _merge(placed, field, _name(sample_a))
            setattr(mixed, field, InstanceData(**merged))
    return mixed


def _copy_of(sample: DetDataSample) -> DetDataSample:
    """A new sample of the same fields; ``new()`` would deep-copy the metainfo."""
    copied = type(sample)()
    for name, value in sample.metainfo_items():
        copied.set_field(value, name, field_type='metainfo')
    for name, value in sample.items():
        setattr(copied, name, value)
    return copied


def _canvas_metainfo(
    sample_a: DetDataSample, sample_b: DetDataSample, pair: Pair
) -> dict[str, Size]:
    """Shapes of the mixed canvas.

    Rounding up to the size divisor is monotone, so the padded shape of the
    canvas is the larger of the two padded shapes.
    """
    pads = [
        sample.get('pad_shape', sample.img_shape) for sample in (sample_a, sample_b)
    ]
    height, width = (max(sides) for sides in zip(*(pad[:2] for pad in pads)))
    return {'img_shape': pair.canvas, 'pad_shape': (height, width)}


def _place(
    instances: InstanceData, pair: Pair, component: int, settings: MixerSettings
) -> dict[str, Any]:
    """Fields of a component's instances, moved and cut as its image is."""
    fields = dict(instances.items())
    offset = pair.offsets[component]
    if len(instances):
        fields['bboxes'] = shift_boxes(fields['bboxes'], offset, pair.canvas)
    if 'masks' in fields:
        fields['masks'] = shift_masks(fields['masks'], offset, pair.canvas)
    if pair.region is None or not settings.clips or 'bboxes' not in fields:
        return fields
    fields['bboxes'], visibility = cut_boxes(fields['bboxes'], pair.region, component)
    if 'masks' in fields:
        fields['masks'] = cut_masks(fields['masks'], pair.region, component)
    seen = seen_enough(fields['bboxes'], visibility, settings.min_visibility)
    if settings.keep == 'all':
        fields[MIX_VISIBILITY] = visibility
    return dict(InstanceData(**fields)[seen].items())


def _merge(placed: list[dict[str, Any]], field: str, name: str) -> dict[str, Any]:
    """Concatenate the components' fields and number their boxes."""
    if len(placed) == 1:
        return placed[0]
    if placed[0].keys() != placed[1].keys():
        raise ValueError(
            f'{name}: {field} of the two images to mix have different fields, '
            f'{sorted(placed[0])} and {sorted(placed[1])}'
        )
    merged = {key: _cat([fields[key] for fields in placed]) for key in placed[0]}
    if 'labels' in merged:
        ids = torch.zeros_like(merged['labels'])
        ids[len(placed[0]['labels']) :] = 1
        merged[MIX_IDS] = ids
    return merged


def _cat(values: list[Any]) -> Any:
    """Concatenate tensors, or what knows how to concatenate itself."""
    if isinstance(values[0], torch.Tensor):
        return torch.cat(values)
    return type(values[0]).cat(values)
