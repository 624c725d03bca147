"""MixBatch: its settings, what it stamps, and what it refuses."""

from __future__ import annotations

import copy
import pickle
import warnings

import pytest
from mmdet.registry import MODELS

from mmmix.models import MixBatch
from mmmix.models.supervisions import LossMix, Union

from .batches import CONSTANT, MEAN, STD, batch_of

BLACK = dict(pad='black', mean=MEAN, std=STD)


def test_state_is_nothing():
    mixer = MixBatch(ratio=CONSTANT, pad='black', mean=MEAN, std=STD)
    assert not mixer.state_dict()
    assert not list(mixer.parameters())


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
        (dict(BLACK, std=None), ValueError, r'needs mean=\[...\] and std=\[...\]'),
        (dict(BLACK, std=[58.0, 0, 57]), ValueError, 'MixBatch.std must be above 0'),
        (dict(BLACK, std=[58.0, -1, 57]), ValueError, 'MixBatch.std must be above 0'),
        (dict(BLACK, mean='a'), TypeError, "MixBatch.mean must be a list .* got 'a'"),
        (dict(BLACK, mean=[1.0, 'a', 2]), TypeError, r'MixBatch.mean\[1\] must be a'),
        (dict(BLACK, mean=[float('inf')]), ValueError, 'MixBatch.mean must be finite'),
        (dict(BLACK, std=[58.0, 57]), ValueError, '3 numbers as mean and 2 as std'),
        (dict(BLACK, pad='mean'), ValueError, "leave them out, or write pad='black'"),
        (dict(std=STD), ValueError, 'does not read mean and std'),
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


def test_a_fraction_of_less_than_one_image_is_said_once():
    inputs, samples = batch_of([(16, 16)] * 3)
    mixer = MixBatch(ratio=CONSTANT, fraction=0.25)
    with pytest.warns(UserWarning, match='MixBatch mixes none of 3 images: frac'):
        mixer(inputs, samples)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        mixer(inputs, samples)
        for silent in (dict(fraction=0.34), dict(fraction=0.0), dict(prob=0.0)):
            MixBatch(ratio=CONSTANT, **silent)(inputs, samples)


def test_one_number_of_mean_or_std_is_for_all_channels():
    fill = MixBatch(ratio=CONSTANT, pad='black', mean=[6], std=[1, 2, 3.0]).fill
    assert fill.flatten().tolist() == [-6.0, -3.0, -2.0]


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
