"""Annotations of a mixed sample: the union of its components'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmmix.functional import check_boxes
from mmmix.mixing.pair import Pair, Size
from mmmix.mixing.phrases import check_same_phrases
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import (
    MIX_COUNTS,
    MIX_SUPERVISION,
    MIX_WEIGHTS,
    check_mix_weights,
    dominant_component,
)

from .mix_instances import INSTANCES, mix_instances

UNMIXABLE = ('proposals',)
"""Fields that describe the unmixed image alone, beside all that begin with ``gt_``."""


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
        for field in INSTANCES
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
    for field in INSTANCES:
        labels = sample.get(field, {}).get('labels')
        if labels is not None and len(labels) and labels.is_floating_point():
            raise TypeError(
                f'{_name(sample)}: labels of {field} must be integers, got '
                f'{labels.dtype}; a transform of the pipeline changed their type'
            )
    for field in sample.keys():  # noqa: SIM118  a sample is no dict
        own = field.startswith('gt_') and field not in INSTANCES
        if own or field in UNMIXABLE:
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
    for field in INSTANCES:
        masks = sample.get(field, {}).get('masks')
        if masks is not None and (masks.height, masks.width) == before:
            instances = InstanceData(**dict(sample.get(field).items()))
            instances.masks = masks.pad(frame)
            setattr(copied, field, instances)
    return copied


def mix_samples(
    samples_a: Sequence[DetDataSample],
    samples_b: Sequence[DetDataSample],
    pairs: Sequence[Pair],
    settings: MixerSettings,
    fields: Sequence[Mapping[str, Any]],
) -> list[DetDataSample]:
    """The mixed samples of pairs.

    Args:
        samples_a: Batch a, whose samples are component 0.
        samples_b: Batch b, whose samples are component 1.
        pairs: Which of them are mixed, their geometry and λ.
        settings: The mixer's.
        fields: Further metainfo of each mixed sample.

    Returns:
        New samples on the pairs' canvases, with the mixer's ``mix_supervision``. With
        ``keep='all'`` they carry ``mix_weights``, ``mix_ids`` and ``mix_counts``, of
        clipped boxes also ``mix_visibility``; with ``'dominant'`` they are unmixed
        samples with the boxes of the heavier component.

    Raises:
        TypeError: If polygon masks are to be clipped.
        ValueError: If the two samples' annotations have different fields, or their
            labels count different phrases.
    """
    mixed, components = [], []
    for pair, extra in zip(pairs, fields):
        sample_a, sample_b = samples_a[pair.index], samples_b[pair.partner]
        check_same_phrases(sample_a, sample_b)
        weights = check_mix_weights((pair.lam, 1.0 - pair.lam))
        mix_fields: dict[str, Any] = {MIX_WEIGHTS: weights, **extra}
        numbers = [0, 1]
        if settings.keep == 'dominant':
            numbers, mix_fields = [dominant_component(weights)], {}
        sample = stamped(sample_a, settings.supervision)
        metainfo = _canvas_metainfo(sample_a, sample_b, pair) | mix_fields
        for name, value in metainfo.items():
            sample.set_field(value, name, field_type='metainfo')
        mixed.append(sample)
        components.append(numbers)
    for field in INSTANCES:
        unions = mix_instances(samples_a, samples_b, pairs, components, settings, field)
        for sample, union in zip(mixed, unions):
            if union is not None:
                setattr(sample, field, union.instances)
                _count(sample, field, union.counts)
            elif field in sample:
                delattr(sample, field)  # the image's own, of which the partner has none
    return mixed


def _count(sample: DetDataSample, field: str, counts: Sequence[int]) -> None:
    """Note how many instances each component of a mixed sample has."""
    if sample.get(MIX_WEIGHTS) is not None:
        name = 'gt_instances' if field == 'gt_instances' else 'ignored'
        noted = {**sample.get(MIX_COUNTS, {}), name: tuple(counts)}
        sample.set_field(noted, MIX_COUNTS, field_type='metainfo')


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
