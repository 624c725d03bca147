"""Annotations of a mixed sample: the union of its components'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.functional import check_boxes
from mmmix.mixing.pair import Pair, Size
from mmmix.mixing.placing import place_boxes, place_masks
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import (
    MIX_IDS,
    MIX_SUPERVISION,
    MIX_VISIBILITY,
    MIX_WEIGHTS,
    check_mix_weights,
    dominant_component,
)

UNMIXABLE = ('gt_sem_seg', 'gt_panoptic_seg', 'proposals')
"""Fields of a sample that describe the unmixed image alone."""

_INSTANCES = ('gt_instances', 'ignored_instances')


def image_sizes(samples: Sequence[DetDataSample]) -> list[Size]:
    """(height, width) of each image without padding."""
    return [tuple(sample.img_shape[:2]) for sample in samples]


def check_samples(samples: Sequence[DetDataSample]) -> list[DetDataSample]:
    """Check that samples can be mixed, and drop boxes that lie outside.

    Returns:
        The samples; where augmentation moved boxes out of an image, a copy of its
        sample without them.

    Raises:
        ValueError: If a sample has met a mixer, has no ``img_shape``, or a box that
            is inverted or not finite.
        TypeError: If a sample holds a field that cannot be mixed.
    """
    for sample in samples:
        _check_fields(sample)
    places = [
        (i, field)
        for i, sample in enumerate(samples)
        for field in _INSTANCES
        if 'bboxes' in sample.get(field, ())
    ]
    if not places:
        return list(samples)
    sizes, names = image_sizes(samples), [_name(sample) for sample in samples]
    inside = check_boxes(
        [samples[i].get(field).bboxes for i, field in places],
        [sizes[i] for i, _ in places],
        [names[i] for i, _ in places],
    )
    clean = list(samples)
    for (i, field), indices in zip(places, inside):
        if indices is not None:
            clean[i] = copy_of(clean[i])
            setattr(clean[i], field, clean[i].get(field)[indices])
    return clean


def _name(sample: DetDataSample) -> str:
    return str(sample.get('img_path', 'an image without img_path'))


def _check_fields(sample: DetDataSample) -> None:
    """Refuse a sample whose fields mixing would make wrong."""
    if sample.get(MIX_WEIGHTS) is not None:
        raise ValueError(
            f'{_name(sample)} is already mixed ({MIX_WEIGHTS}='
            f'{sample.get(MIX_WEIGHTS)}); use one mixer, of batches or of images'
        )
    if MIX_SUPERVISION in sample:
        raise ValueError(
            f'{_name(sample)} has met a mixer before ({MIX_SUPERVISION}='
            f'{sample.get(MIX_SUPERVISION)}); use one mixer, of batches or of images'
        )
    if 'img_shape' not in sample:
        raise ValueError(
            f"{_name(sample)} has no 'img_shape' in its metainfo; add it to meta_keys "
            'of PackDetInputs'
        )
    for field in _INSTANCES:
        labels = sample.get(field, {}).get('labels')
        if labels is not None and len(labels) and labels.is_floating_point():
            raise TypeError(
                f'{_name(sample)}: labels of {field} must be integers, got '
                f'{labels.dtype}; a transform of the pipeline changed their type'
            )
    for field in UNMIXABLE:
        if field in sample:
            raise TypeError(
                f'{_name(sample)}: {field!r} cannot be mixed; leave it out of the '
                'pipeline (LoadAnnotations(with_seg=False), no LoadProposals)'
            )


def copy_of(sample: DetDataSample) -> DetDataSample:
    """A new sample of the same fields; ``new()`` would deep-copy the metainfo."""
    copied = type(sample)()
    for name, value in sample.metainfo_items():
        copied.set_field(value, name, field_type='metainfo')
    for name, value in sample.items():
        setattr(copied, name, value)
    return copied


def stamped(sample: DetDataSample, supervision: Any) -> DetDataSample:
    """A copy of a sample that says how its batch is supervised."""
    copied = copy_of(sample)
    copied.set_field(supervision, MIX_SUPERVISION, field_type='metainfo')
    return copied


def in_frame(sample: DetDataSample, frame: Size) -> DetDataSample:
    """A copy of a sample whose batch has grown to a frame (height, width).

    Masks that filled the old frame fill the new one.
    """
    copied = copy_of(sample)
    before = sample.get('batch_input_shape')
    copied.set_field(frame, 'batch_input_shape', field_type='metainfo')
    for field in _INSTANCES:
        masks = sample.get(field, {}).get('masks')
        if masks is not None and (masks.height, masks.width) == before:
            instances = InstanceData(**dict(sample.get(field).items()))
            instances.masks = masks.pad(frame)
            setattr(copied, field, instances)
    return copied


def mix_sample(
    sample_a: DetDataSample,
    sample_b: DetDataSample,
    pair: Pair,
    settings: MixerSettings,
    fields: Mapping[str, Any],
) -> DetDataSample:
    """The mixed sample of a pair.

    Args:
        sample_a: Component 0.
        sample_b: Component 1.
        pair: Their geometry and λ.
        settings: The mixer's.
        fields: Further metainfo of a mixed sample.

    Returns:
        A new sample on the pair's canvas, with the mixer's ``mix_supervision``. With
        ``keep='all'`` it carries ``mix_weights`` and ``mix_ids``, of clipped boxes
        also ``mix_visibility``; with ``'dominant'`` it is an unmixed sample with the
        boxes of the heavier component.

    Raises:
        TypeError: If polygon masks are to be clipped.
        ValueError: If the two samples' annotations have different fields.
    """
    weights = check_mix_weights((pair.lam, 1.0 - pair.lam))
    samples = (sample_a, sample_b)
    components = [0, 1]
    mix_fields: dict[str, Any] = {MIX_WEIGHTS: weights, **fields}
    if settings.keep == 'dominant':
        components = [dominant_component(weights)]
        mix_fields = {}
    mixed = stamped(sample_a, settings.supervision)
    metainfo = _canvas_metainfo(sample_a, sample_b, pair) | mix_fields
    for name, value in metainfo.items():
        mixed.set_field(value, name, field_type='metainfo')
    for field in _INSTANCES:
        found = [samples[k].get(field) for k in components]
        where = f'{_name(sample_a)}: {field}'
        if any(instances is not None for instances in found):
            parts = _alike(found, where, field == 'ignored_instances')
            setattr(mixed, field, _union(parts, components, pair, settings))
        elif field in mixed:
            delattr(mixed, field)  # the image's own, of which the partner has none
    return mixed


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


def _alike(
    found: Sequence[InstanceData | None], where: str, common: bool
) -> list[InstanceData]:
    """The components' instances with the same fields.

    One without instances takes the fields of the other. Boxes to ignore may come
    with labels or without, so of them the fields that both have are kept.

    Args:
        found: Those of each component, or None.
        where: What to call them in an error.
        common: Whether to keep the common fields.

    Raises:
        ValueError: If they differ and shall not.
    """
    filled = [one for one in found if one is not None and len(one)]
    if not filled:
        filled = [max((one for one in found if one is not None), key=_num_fields)]
    parts = [one if one is not None and len(one) else filled[0][:0] for one in found]
    keys = [set(part.keys()) for part in parts]
    if all(one == keys[0] for one in keys):
        return parts
    if not common:
        raise ValueError(
            f'{where} of the two images to mix have different fields, '
            f'{" and ".join(str(sorted(one)) for one in keys)}'
        )
    kept = set.intersection(*keys)
    return [
        InstanceData(**{key: value for key, value in part.items() if key in kept})
        for part in parts
    ]


def _num_fields(instances: InstanceData) -> int:
    return len(instances.keys())


def _union(
    parts: Sequence[InstanceData],
    components: Sequence[int],
    pair: Pair,
    settings: MixerSettings,
) -> InstanceData:
    """Instances of all components, numbered unless only the dominant ones stay."""
    placed = [_place(*part, pair, settings) for part in zip(parts, components)]
    masks = [part.pop('masks', None) for part in placed]
    merged = InstanceData.cat(placed)
    if settings.keep == 'all':
        merged[MIX_IDS] = _ids(placed)
    if masks[0] is not None:
        clips = pair.region is not None and settings.clips
        merged.masks = place_masks(masks, components, pair, clips)
    return merged


def _ids(parts: Sequence[InstanceData]) -> Tensor:
    """The component of each instance, on the device of the boxes."""
    sizes = torch.tensor([len(part) for part in parts])
    ids = torch.arange(len(parts)).repeat_interleave(sizes)
    values = [value for value in parts[0].values() if hasattr(value, 'device')]
    return ids.to(values[0].device) if values else ids


def _place(
    instances: InstanceData, component: int, pair: Pair, settings: MixerSettings
) -> InstanceData:
    """A component's instances, moved and cut as its image is, but for the masks."""
    placed = InstanceData(**dict(instances.items()))
    if not len(instances) and 'labels' in placed:
        placed.labels = placed.labels.long()  # of nothing, numpy makes floats
    if 'bboxes' not in placed:
        return placed
    placed.bboxes, visibility, seen = place_boxes(
        instances.bboxes, pair, component, settings
    )
    if visibility is None:
        return placed
    if settings.keep == 'all':
        placed[MIX_VISIBILITY] = visibility
    return placed if len(seen) == len(placed) else placed[seen]
