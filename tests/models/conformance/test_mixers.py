"""What every mixer of batches does with draws, switches, stamps and bad samples."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import PixelData

from mmmix.mixing import counter_rng
from mmmix.models.alignmix import AlignedBoxMix
from mmmix.models.supervisions import LossMix, Union, Visible
from mmmix.structures import Annotations, split_components
from tests.models.batch_augments.batches import (
    CONSTANT,
    assert_only_stamped,
    at_iteration,
    batch_of,
)

BETA = dict(type='Beta', alpha=1.0)
MIXERS = {
    'MixBatch': (dict(type='MixBatch'), Union()),
    'CutMixBatch-keeps': (dict(type='CutMixBatch', supervision=LossMix()), LossMix()),
    'CutMixBatch-clips': (dict(type='CutMixBatch', supervision=Visible()), Visible()),
    'PairBatch': (dict(type='PairBatch'), AlignedBoxMix()),
}


@pytest.fixture(params=MIXERS, ids=str)
def mixer(request):
    """A function that builds the mixer, and how it supervises."""
    cfg, supervision = MIXERS[request.param]

    def build(**settings):
        return MODELS.build({**cfg, 'ratio': BETA, **settings})

    return build, supervision


def test_draws_follow_the_counters(mixer):
    """Same (seed, iteration, call, stream): same draw; any other: another draw."""
    inputs, samples = batch_of([(32, 32)] * 4)

    def draws(iteration, seed=0, calls=1, stream=0):
        at_iteration(iteration, seed)
        mix = mixer[0]()
        mix.counter.stream = stream
        for _ in range(calls):
            _, mixed = mix(inputs, samples)
        return [sample.mix_weights[0] for sample in mixed]

    assert draws(7) == draws(7)
    assert draws(7) != draws(8)
    assert draws(7) != draws(7, seed=1)
    assert draws(7) != draws(7, calls=2)
    assert draws(7) != draws(7, stream=1) != draws(7, stream=2)
    assert draws(7, stream=1) == draws(7, stream=1)


def test_prob_fraction_and_lam_per_batch(mixer):
    build, supervision = mixer
    inputs, samples = batch_of([(16, 16)] * 9)
    mixed, half = build(fraction=0.5)(inputs, samples)
    chosen = [i for i, sample in enumerate(half) if 'mix_weights' in sample.metainfo]
    assert len(chosen) == 4
    for i in set(range(9)) - set(chosen):
        assert torch.equal(mixed[i], inputs[i])
        assert_only_stamped(half[i], samples[i], supervision)
    mixed, none = build(prob=0.0)(inputs, samples)
    assert torch.equal(mixed, inputs)
    for got, sample in zip(none, samples):
        assert_only_stamped(got, sample, supervision)
    _, shared = build(lam_per='batch')(inputs, samples)
    assert len({sample.mix_weights for sample in shared}) == 1


def test_disabled_and_batch_of_one(mixer):
    build, supervision = mixer
    inputs, samples = batch_of([(16, 16)] * 2)
    mix = build()
    mix.enabled = False
    off = mix(inputs, samples)
    assert off[0] is inputs
    assert off[1] is samples
    mix.enabled = True
    with pytest.warns(UserWarning, match='batch of one image.*MixImage'):
        alone = mix(inputs[:1], samples[:1])
    assert torch.equal(alone[0], inputs[:1])
    assert_only_stamped(alone[1][0], samples[0], supervision)
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # it is said once
        mix(inputs[:1], samples[:1])


def test_a_permutation_leaves_fixed_points_unmixed(mixer):
    """As in the papers' code: a sample that meets itself stays as it is."""
    inputs, samples = batch_of([(16, 16)] * 5)
    seen = []
    for iteration in range(20):
        at_iteration(iteration)
        mixed, mixed_samples = mixer[0](pairing='permutation')(inputs, samples)
        fixed = counter_rng(0, 0, iteration, 0).permutation(5) == np.arange(5)
        unmixed = ['mix_weights' not in sample for sample in mixed_samples]
        assert unmixed == fixed.tolist()
        assert torch.equal(mixed[fixed], inputs[fixed])
        seen.append(fixed.sum())
    assert np.mean(seen) == pytest.approx(1.0, abs=0.5)


def test_every_sample_says_how_it_is_supervised(mixer):
    """Also its copies, by whatever means; what came in does not."""
    build, supervision = mixer
    inputs, samples = batch_of([(16, 16)] * 6)
    for prob in (1.0, 0.3):
        mixed = build(prob=prob)(inputs, samples)[1]
        again = pickle.loads(pickle.dumps(mixed))
        for copied in (mixed, copy.deepcopy(mixed), again, [s.new() for s in mixed]):
            assert [s.mix_supervision for s in copied] == [supervision] * 6
    assert all('mix_supervision' not in sample.metainfo for sample in samples)


def test_what_came_in_is_not_changed(mixer):
    inputs, samples = batch_of([(40, 30), (20, 50), (33, 33)])
    before = inputs.clone(), copy.deepcopy(samples)
    mixer[0](align='corner')(inputs, samples)
    assert torch.equal(inputs, before[0])
    for sample, old in zip(samples, before[1]):
        assert sample.metainfo == old.metainfo
        assert set(sample.gt_instances.keys()) == set(old.gt_instances.keys())
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)
        assert torch.equal(sample.gt_instances.labels, old.gt_instances.labels)


def test_components_are_the_samples_that_met(mixer):
    """Split again, component 0 has the boxes of its image, component 1 the next's."""
    build, supervision = mixer
    inputs, samples = batch_of([(64, 64)] * 3)
    _, mixed = build(pairing='roll')(inputs, samples)
    batch = Annotations(
        [sample.gt_instances for sample in mixed],
        [sample.metainfo for sample in mixed],
        [sample.ignored_instances for sample in mixed],
    )
    if supervision == Visible():
        with pytest.raises(ValueError, match='CutMix has clipped gt_instances'):
            split_components(batch)
        return
    parts = split_components(batch)
    assert len(parts) == 2
    for k, part in enumerate(parts):
        for i, got in enumerate(part.gt_instances):
            want = samples[(i + k) % 3].gt_instances
            assert torch.equal(got.labels, want.labels)
            assert torch.equal(got.bboxes, want.bboxes)


def test_state_is_nothing(mixer):
    mix = mixer[0]()
    assert not mix.state_dict()
    assert not list(mix.parameters())


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
    ids=['mixed', 'field', 'inverted', 'infinite', 'stamped', 'unlabelled', 'sizes'],
)
def test_bad_samples_are_refused(mixer, change, error, message):
    inputs, samples = batch_of([(32, 32)] * 3)
    samples[1].gt_instances.bboxes = torch.tensor([[1.0, 1.0, 8.0, 8.0]] * 2)
    change(samples[1])
    with pytest.raises(error, match=message):
        mixer[0](ratio=CONSTANT, align='resize')(inputs, samples)
