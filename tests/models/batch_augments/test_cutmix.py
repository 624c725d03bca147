"""CutMixBatch: pixels, weights, boxes, draws and what it refuses."""

from __future__ import annotations

import copy
from itertools import product

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures.mask import BitmapMasks

from mmmix.functional import cut_region, unrounded_share
from mmmix.models import CutMixBatch, MixBatch
from mmmix.models.batch_augments.mix_instances import INSTANCES

from .batches import at_iteration, batch_of

UNIFORM = dict(type='Uniform', low=0.0, high=1.0)
KEEP = dict(supervision=dict(type='LossMix'))  # needs all boxes as they are
CLIP = dict(supervision=dict(type='Visible'))  # needs them clipped
SIZES = [(60, 80), (72, 44), (33, 57), (80, 80)]


def cutmix(**settings):
    """A mixer of each image with the next one."""
    settings = dict(ratio=UNIFORM, pairing='roll') | settings
    return CutMixBatch(**settings)


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


@pytest.mark.parametrize('boxes', [KEEP, CLIP])
@pytest.mark.parametrize('sizes', [SIZES, [(64, 64)] * 4], ids=['four', 'one'])
def test_every_pixel_is_of_one_image_and_the_ratio_is_the_area(sizes, boxes):
    """Identity 37, on whole batches."""
    at_iteration(1)
    inputs, samples = batch_of(sizes)
    mixed, mixed_samples = cutmix(**boxes)(inputs, samples)
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
        shares = 'mix_visibility' in sample.gt_instances
        assert shares == (boxes is CLIP)


def test_boxes_are_kept_as_a_blend_keeps_them():
    at_iteration(2)
    inputs, samples = batch_of(SIZES)
    _, cut = cutmix(**KEEP)(inputs, samples)
    _, blended = MixBatch(ratio=UNIFORM, pairing='roll')(inputs, samples)
    for sample, other in zip(cut, blended):
        assert 'mix_visibility' not in sample.gt_instances
        for key in ('bboxes', 'labels', 'mix_ids'):
            assert torch.equal(sample.gt_instances[key], other.gt_instances[key])


def test_clipped_boxes_by_counting_pixels():
    """Identity 38: boxes of whole pixels, against masks of what is visible."""
    dropped = dict.fromkeys(INSTANCES, 0)
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
            sample.ignored_instances = copy.deepcopy(instances)
        mixed, mixed_samples = cutmix(**CLIP, min_visibility=0.3)(inputs, samples)
        fields = product(enumerate(mixed_samples), INSTANCES)
        for (i, sample), field in fields:
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
                    ignored = field == 'ignored_instances'  # sliver or not
                    if share == 1 or ignored or (share >= 0.3 and not small):
                        want.append((component, label, box, share, seen))
            got = sample.get(field)
            dropped[field] += 4 - len(got)
            assert got.mix_ids.tolist() == [w[0] for w in want]
            assert got.labels.tolist() == [w[1] for w in want]
            assert got.bboxes.tolist() == [w[2] for w in want]
            np.testing.assert_allclose(
                got.mix_visibility, [w[3] for w in want], atol=1e-6
            )
            for mask, row in zip(got.masks.masks, want):
                np.testing.assert_array_equal(mask, row[4])
    assert dropped['gt_instances'] > dropped['ignored_instances'] + 5


def test_ignored_boxes_are_clipped_as_well():
    at_iteration(3)
    inputs, samples = batch_of([(64, 64)] * 2)
    for sample in samples:
        sample.ignored_instances = copy.deepcopy(sample.gt_instances)
    _, mixed = cutmix(**CLIP)(inputs, samples)
    for sample in mixed:
        own, ignored = sample.gt_instances, sample.ignored_instances
        known = own.bboxes.tolist()
        both = [box in known for box in ignored.bboxes.tolist()]
        for key in ('bboxes', 'labels', 'mix_ids', 'mix_visibility'):
            assert torch.equal(own[key], ignored[key][both])


def test_an_empty_region_leaves_the_image_alone():
    inputs, samples = batch_of([(64, 64)] * 2)
    one = dict(type='Constant', value=1.0)
    mixed, mixed_samples = cutmix(ratio=one, **CLIP)(inputs, samples)
    assert torch.equal(mixed, inputs)
    for sample, old in zip(mixed_samples, samples):
        assert sample.mix_weights == (1.0, 0.0)
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)
        assert sample.gt_instances.mix_visibility.tolist() == [1.0, 1.0]


@pytest.mark.parametrize('keep', ['all', 'dominant'])
def test_the_dominant_component_alone_makes_an_unmixed_sample(keep):
    at_iteration(0)
    inputs, samples = batch_of([(64, 64)] * 4)
    _, mixed = cutmix(keep=keep)(inputs, samples)
    for sample in mixed:
        fields = {'mix_weights'} & set(sample.metainfo)
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
        cut = CutMixBatch(**settings, **KEEP)(inputs, samples)[1]
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
    assert mixed_samples[0].mix_weights[0] == 1 - int(first.sum()) / 64**2


@pytest.mark.parametrize('seed', range(8))
def test_one_ratio_a_batch_whatever_the_sizes(seed):
    """Exactly one, and that of each image to less than a pixel of a side."""
    at_iteration(seed)
    inputs, samples = batch_of(SIZES)
    mixed, mixed_samples = cutmix(lam_per='batch')(inputs, samples)
    ((lam, rest),) = {sample.mix_weights for sample in mixed_samples}
    assert lam + rest == 1
    for i, sample in enumerate(mixed_samples):
        (own, _), _ = laid_out(inputs, samples, i, (i + 1) % 4)
        height, width = sample.img_shape
        outside = int((own != mixed[i, :, :height, :width]).any(0).sum())
        # Canvas that neither image covers does not show the region.
        assert outside <= (1 - lam) * height * width + height + width + 1
    # With a canvas of any one size, the ratio before rounding is met in the limit.
    at_iteration(seed)
    large, large_samples = batch_of([(640, 320), (320, 640)] * 2)
    got = cutmix(lam_per='batch')(large, large_samples)[1][0].mix_weights[0]
    assert got == pytest.approx(lam, abs=1 / 640 + 1 / 320)


def test_the_shared_ratio_is_the_area_of_the_region():
    """By counting the pixels of the region on a fine canvas."""
    for lam, centre in ((0.3, (0.1, 0.5)), (0.9, (0.97, 0.02)), (0.0, (0.5, 0.5))):
        fine = (5000, 7000)
        share = 1 - cut_region(lam, centre, fine).area / (fine[0] * fine[1])
        assert unrounded_share(lam, centre) == pytest.approx(share, abs=1e-3)


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
    ('settings', 'error', 'message'),
    [
        (dict(mode='cutmix'), TypeError, "CutMixBatch has no setting 'mode'"),
        (dict(boxes='clip'), TypeError, "write supervision=dict.type='Visible'"),
        (dict(min_visibility=1.5), ValueError, 'min_visibility'),
        (dict(min_visibility='1'), TypeError, 'min_visibility'),
        (dict(min_visibility=0.5, **KEEP), ValueError, 'no effect: LossMix.*Leave it'),
        (dict(keep='dominant', **KEEP), ValueError, 'LossMix has nothing to weigh'),
        (dict(supervision=dict(type='LossMix', reg=False)), ValueError, 'Switch both'),
        (dict(supervision=dict(type='LossMix', cls=False)), ValueError, 'Switch both'),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(dict(type='CutMixBatch', ratio=UNIFORM, **settings))


def test_repr_lists_the_settings_of_cutmix():
    text = repr(cutmix(**CLIP, min_visibility=0.4))
    assert 'supervision=Visible()' in text
    assert 'min_visibility=0.4' in text
    assert 'min_visibility=0.25' in repr(cutmix(**CLIP))
    assert 'min_visibility' not in repr(cutmix(**KEEP))


@pytest.mark.parametrize(
    ('supervision', 'clips'),
    [
        (None, True),
        ('Union', True),
        ('Visible', True),
        ('LossMix', False),
        ('BoxMix', False),
        ('WeightedUnion', False),
    ],
)
def test_what_happens_to_boxes_follows_from_the_supervision(supervision, clips):
    at_iteration(0)
    cfg = None if supervision is None else dict(type=supervision)
    inputs, samples = batch_of([(64, 64)] * 2)
    least = dict(min_visibility=0.0) if clips else {}
    mixed = cutmix(supervision=cfg, **least)(inputs, samples)[1]
    boxes = torch.cat([sample.gt_instances.bboxes for sample in samples])
    for sample in mixed:
        assert ('mix_visibility' in sample.gt_instances) == clips
        assert type(sample.mix_supervision).__name__ == (supervision or 'Union')
    assert torch.equal(mixed[0].gt_instances.bboxes, boxes) != clips
