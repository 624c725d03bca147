"""Building supervisions, their errors, and what they ask of a head."""

from __future__ import annotations

import pytest
import torch
from mmdet.registry import MODELS

from mmmix.models.supervisions import build_supervision
from mmmix.models.supervisions.lossmix import is_regression
from tests.helpers import HEAD, annotations, mixed


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
        (dict(type='BoxMix', positives='all'), ValueError, 'dominant.*any.*factored'),
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


def test_repr_lists_all_settings():
    assert repr(build_supervision(None)) == 'Union()'
    assert repr(build_supervision(dict(type='BoxMix', positives='any'))) == (
        "BoxMix(positives='any')"
    )
    supervision = build_supervision(dict(type='LossMix', reg=False))
    assert repr(supervision) == 'LossMix(cls=True, reg=False)'
    assert build_supervision(supervision) is supervision


def test_boxmix_needs_anchors_to_mix():
    batch = mixed(annotations((1,)), annotations((1,)), [0.5])
    with pytest.raises(TypeError, match='none to mix.*LossMix'):
        build_supervision(dict(type='BoxMix')).loss(batch, lambda *_: {})


def test_lossmix_sums_scalars_and_nested_lists():
    """Heads give scalars, lists per image, or lists per level."""
    batch = mixed(annotations((1, 2)), annotations((2, 1)), [0.25, 0.25])

    def stock_loss(gt_instances, metas, ignored):
        weight = metas[0]['component_weight']
        value = torch.tensor(float(len(gt_instances[0])))
        return dict(loss_cls=weight * value, loss_bbox=[weight * value, value])

    losses = build_supervision(dict(type='LossMix')).loss(batch, stock_loss)
    assert losses['loss_cls'] == 0.25 * 1 + 0.75 * 2
    assert losses['loss_bbox'] == [0.25 * 1 + 0.75 * 2, 3.0]


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
