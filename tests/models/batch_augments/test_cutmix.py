"""MixBatch(mode='cutmix'): pixels, weights, boxes, draws and what it refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures.mask import BitmapMasks

from mmmix.models import MixBatch
from mmmix.models.supervisions import build_supervision
from mmmix.structures import Annotations

from .test_mix_batch import at_iteration, batch_of

UNIFORM = dict(type='Uniform', low=0.0, high=1.0)
SIZES = [(60, 80), (72, 44), (33, 57), (80, 80)]


def cutmix(**settings):
    """A mixer of each image with the next one."""
    settings = dict(ratio=UNIFORM, pairing='roll') | settings
    return MixBatch(mode='cutmix', **settings)


def laid_out(inputs, samples, i, j):
    """Both images of a pair on their canvas, centred, and where they lie on it."""
    sizes = [samples[k].img_shape for k in (i, j)]
    canvas = tuple(max(side) for side in zip(*sizes))
    layers, offsets = [], []
    for k, (height, width) in zip((i, j), sizes):
        layer = torch.zeros(3, *canvas)
        y, x = (canvas[0] - height) // 2, (canvas[1] - width) // 2
        layer[:, y : y + height, x : x + width] = inputs[k, :, :height, :width]
        layers.append(layer)
        offsets.append((y, x))
    return layers, offsets


def replaced_pixels(mixed, own):
    """Where a canvas differs from component 0; random pixels never agree."""
    return (mixed != own).any(dim=0)


@pytest.mark.parametrize('boxes', ['keep', 'clip'])
@pytest.mark.parametrize('sizes', [SIZES, [(64, 64)] * 4], ids=['four', 'one'])
def test_every_pixel_is_of_one_image_and_the_ratio_is_the_area(sizes, boxes):
    """Identity 37, on whole batches."""
    at_iteration(1)
    inputs, samples = batch_of(sizes)
    mixed, mixed_samples = cutmix(boxes=boxes)(inputs, samples)
    for i, sample in enumerate(mixed_samples):
        (own, other), _ = laid_out(inputs, samples, i, (i + 1) % 4)
        height, width = sample.img_shape
        canvas = mixed[i, :, :height, :width]
        lam = sample.mix_weights[0]
        assert sample.mix_weights == (lam, 1 - lam)
        area = round((1 - lam) * height * width)
        assert lam == 1 - area / (height * width)
        changed = replaced_pixels(canvas, own)
        rows, columns = changed.nonzero().T
        outside = torch.ones(height, width, dtype=torch.bool)
        outside[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = False
        assert torch.equal(canvas[:, ~outside], other[:, ~outside])
        assert torch.equal(canvas[:, outside], own[:, outside])
        # Where neither image covers the canvas, pasting changes nothing to be seen.
        assert int((~outside).sum()) <= area
        if sizes[0] == sizes[1]:
            assert int((~outside).sum()) == area
        assert sample.mix_boxes == boxes


def test_boxes_are_kept_as_a_blend_keeps_them():
    at_iteration(2)
    inputs, samples = batch_of(SIZES)
    _, cut = cutmix()(inputs, samples)
    _, blended = MixBatch(ratio=UNIFORM, pairing='roll')(inputs, samples)
    for sample, other in zip(cut, blended):
        assert 'mix_visibility' not in sample.gt_instances
        assert 'mix_boxes' not in other.metainfo
        for key in ('bboxes', 'labels', 'mix_ids'):
            assert torch.equal(sample.gt_instances[key], other.gt_instances[key])


def test_clipped_boxes_by_counting_pixels():
    """Identity 38: boxes of whole pixels, against masks of what is visible."""
    dropped = 0
    for seed in range(12):
        at_iteration(seed)
        inputs, samples = batch_of([(64, 64)] * 2, seed=seed)
        for sample in samples:
            instances = sample.gt_instances
            instances.bboxes = instances.bboxes.round()
            shape = (len(instances), 64, 64)
            masks = np.zeros(shape, dtype=np.uint8)
            for mask, (x1, y1, x2, y2) in zip(masks, instances.bboxes.int().tolist()):
                mask[y1:y2, x1:x2] = 1
            instances.masks = BitmapMasks(masks, 64, 64)
        mixed, mixed_samples = cutmix(boxes='clip', min_visibility=0.3)(inputs, samples)
        for i, sample in enumerate(mixed_samples):
            inside = replaced_pixels(mixed[i], inputs[i]).numpy()
            want = []
            for component, k in enumerate((i, 1 - i)):
                old = samples[k].gt_instances
                visible = inside if component else ~inside
                for mask, label in zip(old.masks.masks, old.labels.tolist()):
                    seen = mask * visible
                    share = seen.sum() / mask.sum()
                    if not seen.any():
                        continue
                    rows, columns = seen.nonzero()
                    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                    small = min(box[2] - box[0], box[3] - box[1]) < 4
                    if share == 1 or (share >= 0.3 and not small):
                        want.append((component, label, box, share, seen))
            got = sample.gt_instances
            dropped += 4 - len(got)
            assert got.mix_ids.tolist() == [w[0] for w in want]
            assert got.labels.tolist() == [w[1] for w in want]
            assert got.bboxes.tolist() == [w[2] for w in want]
            np.testing.assert_allclose(
                got.mix_visibility, [w[3] for w in want], atol=1e-6
            )
            for mask, row in zip(got.masks.masks, want):
                np.testing.assert_array_equal(mask, row[4])
    assert dropped > 10


def test_ignored_boxes_are_clipped_as_well():
    at_iteration(3)
    inputs, samples = batch_of([(64, 64)] * 2)
    for sample in samples:
        sample.ignored_instances = copy.deepcopy(sample.gt_instances)
    _, mixed = cutmix(boxes='clip')(inputs, samples)
    for sample in mixed:
        for key in ('bboxes', 'labels', 'mix_ids', 'mix_visibility'):
            assert torch.equal(sample.gt_instances[key], sample.ignored_instances[key])


def test_an_empty_region_leaves_the_image_alone():
    inputs, samples = batch_of([(64, 64)] * 2)
    one = dict(type='Constant', value=1.0)
    mixed, mixed_samples = cutmix(ratio=one, boxes='clip')(inputs, samples)
    assert torch.equal(mixed, inputs)
    for sample, old in zip(mixed_samples, samples):
        assert sample.mix_weights == (1.0, 0.0)
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)
        assert sample.gt_instances.mix_visibility.tolist() == [1.0, 1.0]


@pytest.mark.parametrize('keep', ['all', 'dominant'])
def test_the_dominant_component_alone_makes_an_unmixed_sample(keep):
    at_iteration(0)
    inputs, samples = batch_of([(64, 64)] * 4)
    _, mixed = cutmix(boxes='clip', keep=keep)(inputs, samples)
    for sample in mixed:
        fields = {'mix_weights', 'mix_boxes'} & set(sample.metainfo)
        beside = {'mix_ids', 'mix_visibility'} & set(sample.gt_instances.keys())
        assert (fields | beside == set()) == (keep == 'dominant')


def test_partners_ratios_and_choices_are_drawn_as_for_a_blend():
    """What a mixer drew before it could cut, it draws still."""
    inputs, samples = batch_of([(64, 64)] * 8)
    settings = dict(ratio=UNIFORM, prob=0.6)
    for iteration in range(5):
        at_iteration(iteration, seed=3)
        blended = MixBatch(**settings)(inputs, samples)[1]
        at_iteration(iteration, seed=3)
        cut = MixBatch(**settings, mode='cutmix')(inputs, samples)[1]
        for one, other in zip(blended, cut):
            assert ('mix_weights' in one) == ('mix_weights' in other)
            labels = [sample.gt_instances.labels for sample in (one, other)]
            assert torch.equal(*labels)


def test_regions_follow_the_algorithm_in_the_mean():
    """E of the adjusted ratio under U(0, 1), which clipping raises from 0.5."""
    inputs, samples = batch_of([(20, 30)] * 50)
    lams = []
    for iteration in range(10):
        at_iteration(iteration)
        _, mixed = cutmix()(inputs, samples)
        lams += [sample.mix_weights[0] for sample in mixed]
    assert np.mean(lams) == pytest.approx(0.679, abs=0.05)


def test_one_region_a_batch():
    at_iteration(0)
    inputs, samples = batch_of([(64, 64)] * 4)
    mixed, mixed_samples = cutmix(lam_per='batch')(inputs, samples)
    assert len({sample.mix_weights for sample in mixed_samples}) == 1
    first = replaced_pixels(mixed[0], inputs[0])
    assert all(torch.equal(replaced_pixels(m, i), first) for m, i in zip(mixed, inputs))


def test_two_batches_of_any_canvas():
    at_iteration(0)
    inputs_a, samples_a = batch_of(SIZES[:2])
    inputs_b, samples_b = batch_of(SIZES[2:], seed=9)
    mixed, samples = cutmix(align='corner').mix_pair(
        inputs_a, samples_a, inputs_b, samples_b
    )
    assert mixed.shape[2:] == (80, 80)
    values = torch.cat([inputs_a.flatten(), inputs_b.flatten()])
    assert torch.isin(mixed, values).all()
    assert all(0 <= sample.mix_weights[0] <= 1 for sample in samples)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(mode='cut'), "mode must be one of.*'cutmix'"),
        (dict(mode='cutmix', boxes='drop'), "boxes must be one of.*'clip'"),
        (dict(boxes='clip'), "needs mode='cutmix', got mode='blend'"),
        (dict(mode='cutmix', min_visibility=1.5), 'min_visibility'),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='MixBatch', ratio=UNIFORM, **settings))


def test_repr_lists_the_settings_of_cutmix():
    text = repr(cutmix(boxes='clip', min_visibility=0.4))
    assert "mode='cutmix', boxes='clip', min_visibility=0.4" in text


def annotations_of(**settings):
    """The union annotations of a mixed batch."""
    at_iteration(0)
    _, samples = MixBatch(ratio=UNIFORM, **settings)(*batch_of([(64, 64)] * 2))
    return Annotations(
        [sample.gt_instances for sample in samples],
        [sample.metainfo for sample in samples],
        [None] * 2,
    )


BLEND, KEEP = dict(mode='blend'), dict(mode='cutmix', boxes='keep')
CLIP = dict(mode='cutmix', boxes='clip')


@pytest.mark.parametrize(
    ('supervision', 'fits'),
    [
        ('Union', [BLEND, CLIP]),
        ('Visible', [CLIP]),
        ('LossMix', [BLEND, KEEP]),
        ('BoxMix', [BLEND, KEEP]),
        ('WeightedUnion', [BLEND, KEEP]),
    ],
)
def test_a_wrong_pair_of_boxes_and_supervision_is_refused(supervision, fits):
    built = build_supervision(dict(type=supervision))
    for mixer in (BLEND, KEEP, CLIP):
        batch = annotations_of(**mixer)
        if mixer in fits:
            built.loss(batch, lambda *_: {}, lambda *_: {})
            continue
        with pytest.raises(ValueError, match=f"{supervision} takes mode='cutmix'"):
            built.loss(batch, lambda *_: {}, lambda *_: {})
