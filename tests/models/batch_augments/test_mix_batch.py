"""MixBatch: pixels, annotations, draws and what it refuses."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmdet.registry import MODELS
from mmdet.structures.mask import BitmapMasks
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData, PixelData

from mmmix.mixing import counter_rng
from mmmix.models import MixBatch
from mmmix.models.supervisions import LossMix, Union
from mmmix.structures import Annotations, split_components
from tests.helpers import annotations, samples_of

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONSTANT = dict(type='Constant', value=0.3)


def batch_of(shapes, seed=0, divisor=1):
    """A padded batch of random images of these (height, width) and its samples."""
    samples = [
        samples_of(annotations((2,), seed + i, min(shape)))[0]
        for i, shape in enumerate(shapes)
    ]
    height, width = (-(-max(side) // divisor) * divisor for side in zip(*shapes))
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.zeros(len(shapes), 3, height, width)
    for i, ((h, w), sample) in enumerate(zip(shapes, samples)):
        inputs[i, :, :h, :w] = torch.randn((3, h, w), generator=generator)
        padded = tuple(-(-side // divisor) * divisor for side in (h, w))
        sample.set_metainfo(
            dict(img_shape=(h, w), pad_shape=padded, batch_input_shape=(height, width))
        )
    return inputs, samples


def at_iteration(iteration, seed=0):
    """Set the counters as a Runner does."""
    hub = MessageHub.get_current_instance()
    hub.update_info('iter', iteration)
    hub.update_info('seed', seed)


def assert_only_stamped(got, sample, supervision):
    """A sample is what it was, and says how its batch is supervised."""
    assert got.metainfo == {**sample.metainfo, 'mix_supervision': supervision}
    assert got.keys() == sample.keys()
    for key in got.keys():  # noqa: SIM118  a sample is no dict
        assert got.get(key) is sample.get(key)
    assert 'mix_supervision' not in sample.metainfo


def naive_mix(inputs, samples, i, j, lam):
    """Centre-aligned blend of two images, pixel by pixel of the definition."""
    sizes = [samples[k].img_shape for k in (i, j)]
    canvas = tuple(max(side) for side in zip(*sizes))
    result = np.zeros((3, *canvas))
    offsets = []
    for k, weight, size in ((i, lam, sizes[0]), (j, 1 - lam, sizes[1])):
        y, x = ((c - s) // 2 for c, s in zip(canvas, size))
        image = inputs[k, :, : size[0], : size[1]].numpy()
        result[:, y : y + size[0], x : x + size[1]] += weight * image
        offsets.append((y, x))
    return result, offsets


@pytest.mark.parametrize(
    'shapes',
    [[(64, 64)] * 3, [(50, 80), (64, 40), (33, 57)]],
    ids=['one size', 'three sizes'],
)
def test_pixels_and_boxes_follow_the_definition(shapes):
    inputs, samples = batch_of(shapes, divisor=32)
    before = copy.deepcopy(samples), inputs.clone()
    mixer = MixBatch(ratio=dict(type='Beta', alpha=1.0), pairing='roll')
    mixed, mixed_samples = mixer(inputs, samples)
    assert mixed.shape == inputs.shape
    for i, sample in enumerate(mixed_samples):
        j = (i + 1) % 3
        lam = sample.mix_weights[0]
        assert sample.mix_weights == (lam, 1 - lam)
        want, offsets = naive_mix(inputs, samples, i, j, lam)
        height, width = want.shape[1:]
        np.testing.assert_allclose(mixed[i, :, :height, :width], want, atol=1e-6)
        # Identity 7: the metainfo describes the canvas.
        assert sample.img_shape == (height, width)
        assert all(side % 32 == 0 for side in sample.pad_shape)
        assert sample.pad_shape == tuple(-(-side // 32) * 32 for side in want.shape[1:])
        boxes = [
            samples[k].gt_instances.bboxes + torch.tensor([x, y, x, y])
            for k, (y, x) in zip((i, j), offsets)
        ]
        assert torch.equal(sample.gt_instances.bboxes, torch.cat(boxes))
        assert sample.gt_instances.mix_ids.tolist() == [0, 0, 1, 1]
        labels = [samples[k].gt_instances.labels for k in (i, j)]
        assert torch.equal(sample.gt_instances.labels, torch.cat(labels))
        assert len(sample.ignored_instances.mix_ids) == 0
    lams = {sample.mix_weights[0] for sample in mixed_samples}
    assert len(lams) == 3
    # What came in is not changed.
    assert torch.equal(inputs, before[1])
    for sample, old in zip(samples, before[0]):
        assert 'mix_weights' not in sample.metainfo
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)


def test_batch_padding_beyond_the_canvas_stays():
    inputs, samples = batch_of([(20, 20), (24, 22), (64, 64)])
    inputs[:2, :, 30:] = -5.0  # a preprocessor with its own pad value
    mixer = MixBatch(ratio=CONSTANT, pairing='reverse')
    inputs2, samples2 = inputs[:2], samples[:2]
    mixed, _ = mixer(inputs2, samples2)
    assert (mixed[:, :, 30:] == -5.0).all()


def test_black_padding_is_black_after_normalisation():
    """λ a + (1 - λ) black where only image a covers, in pixels of [0, 255]."""
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    inputs, samples = batch_of([(40, 20), (20, 20)])
    mixer = MixBatch(ratio=CONSTANT, pad='black', mean=MEAN, std=STD)
    mixed, _ = mixer(inputs, samples)
    raw = mixed[0] * std + mean
    own = inputs[0] * std + mean
    torch.testing.assert_close(raw[:, :10, :20], 0.3 * own[:, :10, :20])
    with pytest.raises(ValueError, match='mean='):
        MixBatch(ratio=CONSTANT, pad='black')


@pytest.mark.parametrize('value', [0.2, 0.5, 0.9])
def test_keep_dominant_is_an_unmixed_sample_with_a_noisy_image(value):
    """Noise (LossMix suppl. B): the lighter component's boxes leave no trace."""
    inputs, samples = batch_of([(64, 64)] * 2)
    mixer = MixBatch(ratio=dict(type='Constant', value=value), keep='dominant')
    mixed, mixed_samples = mixer(inputs, samples)
    owner = 0 if value > 0.5 else 1
    for i, sample in enumerate(mixed_samples):
        own = samples[i if owner == 0 else 1 - i].gt_instances
        assert torch.equal(sample.gt_instances.bboxes, own.bboxes)
        assert 'mix_weights' not in sample.metainfo
        assert 'mix_ids' not in sample.gt_instances
        want = value * inputs[i] + (1 - value) * inputs[1 - i]
        torch.testing.assert_close(mixed[i], want, rtol=0, atol=1e-6)


def test_mix_pair_of_two_canvases():
    inputs_a, samples_a = batch_of([(40, 30), (20, 50)], divisor=10)
    inputs_b, samples_b = batch_of([(60, 20), (30, 30)], seed=5, divisor=10)
    mixer = MixBatch(ratio=dict(type='Beta', alpha=1.0))
    mixed, samples = mixer.mix_pair(inputs_a, samples_a, inputs_b, samples_b)
    assert mixed.shape == (2, 3, 60, 50)
    height, width = mixed.shape[2:]
    both = torch.zeros(4, 3, height, width)
    both[:2, :, :40, :50], both[2:, :, :60, :30] = inputs_a, inputs_b
    for i, sample in enumerate(samples):
        assert sample.batch_input_shape == (60, 50)
        want, _ = naive_mix(
            both, [*samples_a, *samples_b], i, i + 2, sample.mix_weights[0]
        )
        got = mixed[i, :, : want.shape[1], : want.shape[2]]
        np.testing.assert_allclose(got, want, atol=1e-6)
    with pytest.raises(ValueError, match='one length, got 2 and 1'):
        mixer.mix_pair(inputs_a, samples_a, inputs_b[:1], samples_b[:1])


def test_draws_follow_the_counters():
    """Same (seed, iteration, call, stream): same draw; any other: another draw."""
    inputs, samples = batch_of([(32, 32)] * 4)

    def draws(iteration, seed=0, calls=1, stream=0):
        at_iteration(iteration, seed)
        mixer = MixBatch(ratio=dict(type='Beta', alpha=1.0))
        mixer.stream = stream
        for _ in range(calls):
            _, mixed = mixer(inputs, samples)
        return [sample.mix_weights[0] for sample in mixed]

    assert draws(7) == draws(7)
    assert draws(7) != draws(8)
    assert draws(7) != draws(7, seed=1)
    assert draws(7) != draws(7, calls=2)
    assert draws(7) != draws(7, stream=1) != draws(7, stream=2)
    assert draws(7, stream=1) == draws(7, stream=1)


def test_prob_fraction_and_lam_per_batch():
    inputs, samples = batch_of([(16, 16)] * 9)
    ratio = dict(type='Beta', alpha=1.0)
    mixed, half = MixBatch(ratio=ratio, fraction=0.5)(inputs, samples)
    chosen = [i for i, sample in enumerate(half) if 'mix_weights' in sample.metainfo]
    assert len(chosen) == 4
    for i in set(range(9)) - set(chosen):
        assert torch.equal(mixed[i], inputs[i])
        assert_only_stamped(half[i], samples[i], Union())
    _, none = MixBatch(ratio=ratio, prob=0.0)(inputs, samples)
    for got, sample in zip(none, samples):
        assert_only_stamped(got, sample, Union())
    _, shared = MixBatch(ratio=ratio, lam_per='batch')(inputs, samples)
    assert len({sample.mix_weights for sample in shared}) == 1


def test_disabled_and_batch_of_one():
    inputs, samples = batch_of([(16, 16)] * 2)
    mixer = MixBatch(ratio=CONSTANT)
    mixer.enabled = False
    off = mixer(inputs, samples)
    assert off[0] is inputs
    assert off[1] is samples
    mixer.enabled = True
    with pytest.warns(UserWarning, match='MixImage'):
        alone = mixer(inputs[:1], samples[:1])
    assert torch.equal(alone[0], inputs[:1])
    assert_only_stamped(alone[1][0], samples[0], Union())
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # it is said once
        mixer(inputs[:1], samples[:1])


def test_masks_travel_with_their_component():
    inputs, samples = batch_of([(20, 30), (40, 16)])
    for i, sample in enumerate(samples):
        masks = np.zeros((2, 40, 30), dtype=np.uint8)  # padded to the batch
        masks[:, 2 + i, 3] = 1
        sample.gt_instances.masks = BitmapMasks(masks, 40, 30)
    _, mixed = MixBatch(ratio=CONSTANT)(inputs, samples)
    masks = mixed[0].gt_instances.masks.masks
    assert masks.shape == (4, 40, 30)
    assert [tuple(m.nonzero()[0]) + tuple(m.nonzero()[1]) for m in masks] == [
        (12, 3),
        (12, 3),
        (3, 10),
        (3, 10),
    ]


def test_an_image_without_boxes_is_a_component_all_the_same():
    inputs, samples = batch_of([(32, 32)] * 2)
    samples[1].gt_instances = samples[1].gt_instances[:0]
    mixed, mixed_samples = MixBatch(ratio=CONSTANT)(inputs, samples)
    torch.testing.assert_close(mixed[0], 0.3 * inputs[0] + 0.7 * inputs[1])
    for sample, component in zip(mixed_samples, (0, 1)):
        assert sample.gt_instances.mix_ids.tolist() == [component] * 2
        assert sample.mix_weights == (0.3, 0.7)


def test_boxes_partly_outside_are_clipped():
    inputs, samples = batch_of([(32, 32)] * 2)
    samples[0].gt_instances.bboxes = torch.tensor([[-4.0, 3.0, 10.0, 40.0]] * 2)
    _, mixed = MixBatch(ratio=CONSTANT)(inputs, samples)
    assert mixed[0].gt_instances.bboxes[0].tolist() == [0.0, 3.0, 10.0, 32.0]


def test_state_is_nothing():
    mixer = MixBatch(ratio=CONSTANT, pad='black', mean=MEAN, std=STD)
    assert not mixer.state_dict()
    assert not list(mixer.parameters())


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (lambda s: s.set_metainfo(dict(mix_weights=(0.5, 0.5))), ValueError, 'already'),
        (lambda s: setattr(s, 'gt_sem_seg', PixelData()), TypeError, 'gt_sem_seg'),
        (lambda s: s.gt_instances.bboxes.mul_(-1), ValueError, 'inverted'),
        (lambda s: s.gt_instances.bboxes.div_(0), ValueError, 'not finite'),
        (lambda s: s.set_metainfo(dict(mix_supervision=0)), ValueError, 'one mixer'),
        (lambda s: s.gt_instances.pop('labels'), ValueError, 'different fields'),
        (lambda s: s.set_metainfo(dict(img_shape=(9, 9))), ValueError, "'resize'"),
    ],
)
def test_bad_samples_are_refused(change, error, message):
    inputs, samples = batch_of([(32, 32)] * 3)
    samples[1].gt_instances.bboxes = torch.tensor([[1.0, 1.0, 8.0, 8.0]] * 2)
    change(samples[1])
    with pytest.raises(error, match=message):
        MixBatch(ratio=CONSTANT, align='resize')(inputs, samples)


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(mode='cutmix'), TypeError, "'mode': leave mode out.*'CutMixBatch'"),
        (dict(mode='blend'), TypeError, "type='MixBatch'"),
        (dict(mode='pair'), TypeError, "type='PairBatch'"),
        (dict(boxes='clip'), TypeError, "'boxes': .* follows from its supervision"),
        (dict(min_visibility=0.5), TypeError, "'min_visibility': .* CutMix alone"),
        (dict(supervision=dict(type='Visible')), ValueError, "type='CutMixBatch'"),
        (dict(supervision=dict(type='Vissible')), KeyError, 'Union, Visible'),
        (dict(supervision=0.5), TypeError, 'supervision must be a dict'),
        (
            dict(keep='dominant', supervision=dict(type='LossMix')),
            ValueError,
            "of which LossMix has nothing to weigh.*keep='all'",
        ),
        (dict(align='middle'), ValueError, 'align'),
        (dict(pad='white'), ValueError, 'pad'),
        (dict(keep='some'), ValueError, 'keep'),
        (dict(pairing='random'), ValueError, 'pairing'),
        (dict(lam_per='box'), ValueError, 'lam_per'),
        (dict(prob=1.5), ValueError, 'prob'),
        (dict(prob=float('nan')), ValueError, 'prob'),
        (dict(prob='1'), TypeError, 'prob'),
        (dict(fraction=-0.5), ValueError, 'fraction'),
        (dict(fraction=0.5, prob=0.5), ValueError, 'not both'),
        (dict(ratio=dict(type='Beta', alpha=0.0)), ValueError, 'alpha'),
        (dict(raito=1), TypeError, 'raito'),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(dict(type='MixBatch', **{'ratio': CONSTANT, **settings}))


@pytest.mark.parametrize(
    ('settings', 'supervision'),
    [
        (dict(), Union()),
        (dict(keep='dominant'), Union()),
        (dict(supervision=dict(type='LossMix', reg=False)), LossMix(reg=False)),
        (dict(supervision=LossMix(), prob=0.3), LossMix()),
    ],
)
def test_every_sample_says_how_it_is_supervised(settings, supervision):
    inputs, samples = batch_of([(16, 16)] * 6)
    mixer = MODELS.build(dict(type='MixBatch', ratio=CONSTANT, **settings))
    for mixed in (
        mixer(inputs, samples)[1],
        mixer.mix_pair(inputs, samples, inputs, samples)[1],
    ):
        assert {sample.mix_supervision for sample in mixed} == {supervision}
        again = pickle.loads(pickle.dumps(mixed))
        for copied in (copy.deepcopy(mixed), again, [s.new() for s in mixed]):
            assert [s.mix_supervision for s in copied] == [supervision] * 6
    assert all('mix_supervision' not in sample.metainfo for sample in samples)


def test_boxes_moved_out_of_their_image_are_dropped():
    """Augmentation does that to valid boxes; of them nothing can be seen."""
    inputs, samples = batch_of([(32, 32), (48, 40)])
    own, moved = samples[0].gt_instances, [1.0, 1.0, 9.0, 9.0]
    own.bboxes = torch.tensor([[32.0, 3.0, 40.0, 9.0], moved])
    samples[1].ignored_instances = InstanceData(
        bboxes=torch.tensor([[3.0, -9.0, 9.0, 0.0]]), labels=torch.tensor([1])
    )
    before = copy.deepcopy(samples)
    for keep in ('all', 'dominant'):
        mixer = MixBatch(ratio=dict(type='Constant', value=0.7), keep=keep)
        _, mixed = mixer(inputs, samples)
        shifted = [value + shift for value, shift in zip(moved, (4, 8, 4, 8))]
        assert mixed[0].gt_instances.bboxes[0].tolist() == shifted
        assert len(mixed[0].gt_instances) == (3 if keep == 'all' else 1)
        assert [len(sample.ignored_instances) for sample in mixed] == [0, 0]
    assert mixed[0].gt_instances.labels.tolist() == own.labels[1:].tolist()
    for sample, old in zip(samples, before):  # what came in stays
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)
        assert len(sample.ignored_instances) == len(old.ignored_instances)


BOXES = dict(bboxes=[[2.0, 2.0, 8.0, 8.0]])
LABELLED = dict(BOXES, labels=[0])


@pytest.mark.parametrize(
    ('own', 'other', 'ids'),
    [
        (LABELLED, LABELLED, [0, 1]),
        (BOXES, BOXES, [0, 1]),
        (BOXES, LABELLED, [0, 1]),
        (LABELLED, None, [0]),
        (None, BOXES, [1]),
        (dict(bboxes=[], labels=[]), BOXES, [1]),
        (dict(), LABELLED, [1]),
        (dict(), None, []),
    ],
)
def test_boxes_to_ignore_in_any_form(own, other, ids):
    """With labels or without, and in one image of a pair only."""
    inputs, samples = batch_of([(32, 32)] * 2)
    for sample, fields in zip(samples, (own, other)):
        del sample.ignored_instances
        if fields is not None:
            sample.ignored_instances = InstanceData(
                **{
                    key: torch.tensor(value).view(-1, *[4] * (key == 'bboxes'))
                    for key, value in fields.items()
                }
            )
    mixed = MixBatch(ratio=CONSTANT)(inputs, samples)[1]
    ignored = mixed[0].ignored_instances
    assert ignored.mix_ids.tolist() == ids
    assert ignored.get('bboxes', torch.zeros(0, 4)).tolist() == BOXES['bboxes'] * len(
        ids
    )
    assert ignored.mix_ids.dtype == torch.int64
    split = split_components(
        Annotations(
            [sample.gt_instances for sample in mixed],
            [sample.metainfo for sample in mixed],
            [sample.ignored_instances for sample in mixed],
        )
    )
    for k, component in enumerate(split):
        assert len(component.ignored[0]) == ids.count(k)


def test_the_dominant_image_brings_its_boxes_to_ignore():
    """Those of the lighter image go with it, also where the heavier one has none."""
    inputs, samples = batch_of([(32, 32)] * 2)
    samples[0].ignored_instances = copy.deepcopy(samples[0].gt_instances)
    del samples[1].ignored_instances
    mixed = MixBatch(ratio=CONSTANT, keep='dominant')(inputs, samples)[1]
    assert 'ignored_instances' not in mixed[0]
    own = samples[0].gt_instances.bboxes
    assert torch.equal(mixed[1].ignored_instances.bboxes, own)


def test_a_permutation_leaves_fixed_points_unmixed():
    """As in the papers' code: a sample that meets itself stays as it is."""
    inputs, samples = batch_of([(16, 16)] * 5)
    seen = []
    for iteration in range(20):
        at_iteration(iteration)
        mixer = MixBatch(ratio=CONSTANT, pairing='permutation')
        mixed, mixed_samples = mixer(inputs, samples)
        rng = counter_rng(0, 0, iteration, 0)
        fixed = rng.permutation(5) == np.arange(5)
        unmixed = ['mix_weights' not in sample for sample in mixed_samples]
        assert unmixed == fixed.tolist()
        assert torch.equal(mixed[fixed], inputs[fixed])
        seen.append(fixed.sum())
    assert np.mean(seen) == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize('channels', [1, 2, 4])
def test_images_of_any_number_of_channels(channels):
    inputs, samples = batch_of([(20, 30), (40, 16)])
    inputs = torch.randn(2, channels, 40, 30)
    black = dict(pad='black', mean=[2.0], std=[4.0])
    mixed = MixBatch(ratio=CONSTANT, **black)(inputs, samples)[0]
    want = 0.3 * inputs[0, :, 5, 2] + 0.7 * -0.5  # the partner does not cover it
    torch.testing.assert_close(mixed[0, :, 15, 2], want)
    wrong = dict(pad='black', mean=[2.0] * 3, std=[4.0] * 3)
    with pytest.raises(ValueError, match=f'has 3 channels and the image {channels}'):
        MixBatch(ratio=CONSTANT, **wrong)(inputs, samples)


def test_two_batches_are_padded_as_the_preprocessor_pads():
    inputs_a, samples_a = batch_of([(20, 20), (24, 22)])
    inputs_b, samples_b = batch_of([(30, 40), (18, 20)], seed=5)
    mixer = MixBatch(ratio=CONSTANT, align='corner', fraction=0.5)
    mixed, samples = mixer.mix_pair(
        inputs_a, samples_a, inputs_b, samples_b, pad_value=7.0
    )
    for image, own, sample in zip(mixed, inputs_a, samples):
        height, width = sample.img_shape
        outside = torch.ones(30, 40, dtype=torch.bool)
        outside[:24, :22] = False  # the frame of batch a
        outside[:height, :width] = False
        assert (image[:, outside] == 7.0).all()
        if 'mix_weights' not in sample:
            assert torch.equal(image[:, :24, :22], own)


def test_masks_fill_the_frame_of_the_batch():
    """What a preprocessor padded stays padded, wherever the canvas ends."""
    inputs, samples = batch_of([(50, 70), (40, 60)], divisor=32)
    for i, sample in enumerate(samples):
        masks = np.zeros((2, 64, 96), dtype=np.uint8)
        masks[0, 4:36, 6 + i : 40] = 1
        sample.gt_instances.masks = BitmapMasks(masks, 64, 96)
    settings = dict(align='corner', fraction=0.5)
    mixer = MixBatch(ratio=dict(type='Constant', value=1.0), **settings)
    for i, sample in enumerate(mixer(inputs, samples)[1]):
        got = sample.gt_instances.masks
        assert (got.height, got.width) == got.masks.shape[1:] == (64, 96)
        assert np.array_equal(got.masks[:2], samples[i].gt_instances.masks.masks)
    other = batch_of([(80, 70), (40, 60)])
    for sample in other[1]:
        sample.gt_instances.masks = BitmapMasks(np.ones((2, 80, 70), bool), 80, 70)
    for i, sample in enumerate(mixer.mix_pair(inputs, samples, *other)[1]):
        got = sample.gt_instances.masks
        assert got.masks.shape[1:] == sample.batch_input_shape == (80, 96)
        want = samples[i].gt_instances.masks.masks
        assert np.array_equal(got.masks[:2, :64], want)
        assert not got.masks[:2, 64:].any()


def test_inside_the_data_preprocessor():
    """The place it is made for: after stacking and normalising, in training only."""
    inputs, samples = batch_of([(30, 40)] * 2)
    preprocessor = DetDataPreprocessor(
        mean=MEAN,
        std=STD,
        bgr_to_rgb=True,
        batch_augments=[dict(type='MixBatch', ratio=CONSTANT)],
    )
    raw = [(image * 50 + 100).clamp(0, 255).byte() for image in inputs]
    data = dict(inputs=raw, data_samples=samples)
    plain = preprocessor(copy.deepcopy(data), training=False)
    mixed = preprocessor(copy.deepcopy(data), training=True)
    want = 0.3 * plain['inputs'] + 0.7 * plain['inputs'].flip(0)
    torch.testing.assert_close(mixed['inputs'], want, rtol=0, atol=1e-5)
    assert mixed['data_samples'][0].mix_weights == (0.3, 0.7)
    assert 'mix_weights' not in plain['data_samples'][0].metainfo
