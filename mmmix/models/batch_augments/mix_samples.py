"""Annotations of a mixed sample: the union of its components'."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmmix.functional import check_boxes, shift_boxes, shift_masks
from mmmix.structures import MIX_IDS, MIX_WEIGHTS, dominant_component, is_mixed

from .pair import Pair, Size

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
    sizes = [tuple(sample.metainfo['img_shape'][:2]) for sample in samples]
    boxes = [sample.gt_instances.bboxes for sample in samples]
    check_boxes(boxes, sizes, [_name(sample) for sample in samples])
    return sizes


def _name(sample: DetDataSample) -> str:
    return str(sample.metainfo.get('img_path', 'an image without img_path'))


def _check_fields(sample: DetDataSample) -> None:
    """Refuse a sample whose fields mixing would make wrong."""
    if is_mixed(sample.metainfo):
        raise ValueError(
            f'{_name(sample)} is already mixed ({MIX_WEIGHTS}='
            f'{sample.metainfo[MIX_WEIGHTS]}); use one mixer, MixBatch or MixImage'
        )
    if 'img_shape' not in sample.metainfo:
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
    keep: str,
) -> DetDataSample:
    """The mixed sample of a pair.

    Args:
        sample_a: Component 0.
        sample_b: Component 1.
        pair: Their geometry and λ.
        keep: ``'all'`` or ``'dominant'``.

    Returns:
        A new sample on the pair's canvas. With ``keep='all'`` it carries
        ``mix_weights`` and ``mix_ids``; with ``'dominant'`` it is an unmixed
        sample with the boxes of the heavier component.

    Raises:
        ValueError: If the two samples' annotations have different fields.
    """
    weights = (pair.lam, 1.0 - pair.lam)
    mixed = sample_a.new()
    mixed.set_metainfo(_canvas_metainfo(sample_a, sample_b, pair))
    components = list(zip((sample_a, sample_b), pair.offsets))
    if keep == 'dominant':
        components = [components[dominant_component(weights)]]
    else:
        mixed.set_metainfo({MIX_WEIGHTS: weights})
    for field in _INSTANCES:
        placed = [
            _place(getattr(sample, field), offset, pair.canvas)
            for sample, offset in components
            if field in sample
        ]
        if placed:
            setattr(mixed, field, _merge(placed, field, _name(sample_a)))
    return mixed


def _canvas_metainfo(
    sample_a: DetDataSample, sample_b: DetDataSample, pair: Pair
) -> dict[str, Size]:
    """Shapes of the mixed canvas.

    Rounding up to the size divisor is monotone, so the padded shape of the
    canvas is the larger of the two padded shapes.
    """
    pads = [
        s.metainfo.get('pad_shape', s.metainfo['img_shape'])[:2]
        for s in (sample_a, sample_b)
    ]
    return {
        'img_shape': pair.canvas,
        'pad_shape': (max(pads[0][0], pads[1][0]), max(pads[0][1], pads[1][1])),
    }


def _place(instances: InstanceData, offset: Size, canvas: Size) -> InstanceData:
    """Instances of a component, moved to where its image lies."""
    placed = instances.new()
    if 'bboxes' in placed:
        placed.bboxes = shift_boxes(placed.bboxes, offset, canvas)
    if 'masks' in placed:
        placed.masks = shift_masks(placed.masks, offset, canvas)
    return placed


def _merge(placed: list[InstanceData], field: str, name: str) -> InstanceData:
    """Concatenate the components' instances and number them."""
    if len(placed) == 1:
        return placed[0]
    keys = [set(instances.keys()) for instances in placed]
    if keys[0] != keys[1]:
        raise ValueError(
            f'{name}: {field} of the two images to mix have different fields, '
            f'{sorted(keys[0])} and {sorted(keys[1])}'
        )
    if 'bboxes' in placed[0]:
        for component, instances in enumerate(placed):
            instances[MIX_IDS] = instances.labels.new_full(
                (len(instances.bboxes),), component
            )
    return InstanceData.cat(placed)
