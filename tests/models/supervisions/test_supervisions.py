"""Building supervisions, their errors, and what they ask of a head."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from mmdet.registry import MODELS

from mmmix.models.dense_heads.mix_anchor_head import MixAnchorHead
from mmmix.models.supervisions import build_supervision, sum_losses, supervise
from tests.helpers import HEAD, annotations, is_regression, mixed


@pytest.mark.parametrize(
    ('cfg', 'error', 'message'),
    [
        (
            dict(type='BoxMx'),
            KeyError,
            'BoxMix, LossMix, Union, Visible, WeightedUnion',
        ),
        (dict(type='LossMix', clss=True), TypeError, 'clss'),
        (dict(type='Union', cls=True), TypeError, 'Union'),
        (dict(type='BoxMix', positives='any'), TypeError, 'positives'),
        (dict(type='LossMix', cls=1), TypeError, 'cls must be True or False'),
        (dict(positives='any'), KeyError, 'needs a type'),
        ('BoxMix', TypeError, 'must be a dict'),
        (dict(type='FocalLoss'), KeyError, 'unknown type'),
    ],
)
def test_bad_configs_are_refused(cfg, error, message):
    with pytest.raises(error, match=message):
        build_supervision(cfg)
    with pytest.raises(error, match=message):
        MODELS.build(dict(type='MixSSDHead', **HEAD, supervision=cfg))


def test_an_unknown_rule_of_positives_is_refused():
    with pytest.raises(ValueError, match='mix_positives.*dominant.*any.*factored'):
        MODELS.build(dict(type='MixSSDHead', **HEAD, mix_positives='all'))


def test_repr_lists_all_settings():
    assert repr(build_supervision(None)) == 'Union()'
    assert repr(build_supervision(dict(type='BoxMix'))) == 'BoxMix()'
    supervision = build_supervision(dict(type='LossMix', reg=False))
    assert repr(supervision) == 'LossMix(cls=True, reg=False)'
    assert build_supervision(supervision) is supervision


def test_supervisions_are_equal_by_their_settings():
    full, again, part = (
        build_supervision(dict(type='LossMix', reg=reg)) for reg in (True, True, False)
    )
    assert full == again
    assert hash(full) == hash(again)
    assert full != part
    assert full != build_supervision(dict(type='BoxMix'))
    assert copy.deepcopy(full) is full
    assert pickle.loads(pickle.dumps(full)) == full


def stamped(batch, *supervisions):
    """The batch with a stamp per image."""
    for meta, kind in zip(batch.metas, supervisions):
        meta['mix_supervision'] = build_supervision(dict(type=kind))
    return batch


def factors(parts):
    """The factors of each part, image by image; None where it has none."""
    return [[meta.get('loss_factors') for meta in part.metas] for part in parts]


@pytest.mark.parametrize(
    ('cfg', 'want'),
    [
        (dict(type='Union'), [[None, None]]),
        (dict(type='WeightedUnion'), [[None, None]]),
        (
            dict(type='LossMix'),
            [[(0.25, 0.25), (0.6, 0.6)], [(0.75, 0.75), (0.4, 0.4)]],
        ),
        (
            dict(type='LossMix', reg=False),
            [
                [(0.25, 0.0), (0.6, 0.0)],
                [(0.75, 0.0), (0.4, 0.0)],
                [(0.0, 1.0), (0.0, 1.0)],
            ],
        ),
        (dict(type='LossMix', cls=False, reg=False), [[None, None]]),
        (
            dict(type='BoxMix'),
            [[(0.25, 0.0), (0.6, 1.0)], [(0.75, 1.0), (0.4, 0.0)]],
        ),
    ],
    ids=str,
)
def test_parts_and_their_factors(cfg, want):
    batch = mixed(annotations((1, 2)), annotations((2, 1)), [0.25, 0.6])
    supervision = build_supervision(cfg)
    assert factors(supervision.parts(batch)) == want
    assert supervision.joint == (cfg['type'] == 'BoxMix')


@pytest.mark.parametrize('kind', ['Union', 'WeightedUnion', 'LossMix', 'BoxMix'])
def test_the_number_of_parts_does_not_depend_on_what_was_drawn(kind):
    """All, some or none of the images of a stamped batch are mixed."""
    plain = annotations((1, 2))
    numbers = set()
    for chosen in ((), (0,), (0, 1)):
        batch = mixed(annotations((1, 2)), annotations((2, 1)), [0.25, 0.6])
        for i in {0, 1} - set(chosen):
            for field, own in zip(batch, plain):
                field[i] = dict(own[i]) if isinstance(own[i], dict) else own[i]
        supervised = supervise(stamped(batch, kind, kind), None)
        numbers.add((len(supervised.parts), supervised.joint))
    assert len(numbers) == 1


def test_a_head_s_own_supervision_goes_before_the_stamp():
    batch = stamped(mixed(annotations((1,)), annotations((1,)), [0.5]), 'LossMix')
    assert len(supervise(batch, None).parts) == 2
    assert len(supervise(batch, build_supervision(None)).parts) == 1


def test_without_a_mixer_a_batch_is_left_alone():
    batch = annotations((1, 2))
    supervised = supervise(batch, build_supervision(dict(type='LossMix')))
    assert supervised.parts == [batch]
    assert not supervised.joint


def test_two_supervisions_in_one_batch_are_refused():
    batch = stamped(
        mixed(annotations((1, 1)), annotations((1, 1)), [0.5, 0.5]), 'LossMix', 'BoxMix'
    )
    with pytest.raises(ValueError, match=r'two supervisions, LossMix\(.*BoxMix\('):
        supervise(batch, None)


def test_boxmix_needs_a_loss_of_joint_parts():
    batch = mixed(annotations((1,)), annotations((1,)), [0.5])

    class Head(MixAnchorHead):
        num_classes = 3

        def __init__(self):
            self.supervision = build_supervision(dict(type='BoxMix'))

    with pytest.raises(TypeError, match='no loss of the joint parts.*LossMix'):
        Head().loss_by_feat([], [], *batch)


def test_losses_of_parts_are_added_up():
    """Heads give scalars, lists per image, or lists per level."""
    passes = [
        dict(loss_cls=torch.tensor(0.25), loss_bbox=[torch.tensor(0.25), 1]),
        dict(loss_cls=torch.tensor(1.5), loss_bbox=[torch.tensor(1.5), 2]),
        dict(loss_bbox=[0, 0]),
    ]
    losses = sum_losses(passes)
    assert losses['loss_cls'] == 0.25 * 1 + 0.75 * 2
    assert losses['loss_bbox'] == [0.25 * 1 + 0.75 * 2, 3.0]
    assert sum_losses(passes[:1]) is passes[0]


@pytest.mark.parametrize(
    ('name', 'regression'),
    [
        ('loss_bbox', True),
        ('loss_rpn_bbox', True),
        ('loss_xy', True),
        ('loss_wh', True),
        ('loss_cls', False),
        ('loss_rpn_cls', False),
        ('loss_conf', False),
    ],
)
def test_terms(name, regression):
    assert is_regression(name) is regression
