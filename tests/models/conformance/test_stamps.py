"""What a mixer stamps on its samples supervises a head without a setting of its own."""

from __future__ import annotations

import pytest
import torch

from mmmix.models.supervisions import build_supervision
from mmmix.structures import MIX_SUPERVISION, MIX_VISIBILITY
from tests.helpers import mixed, with_supervision

from .case import close, identical
from .cases import CASES, SUPERVISIONS, options

STAMPS = [*SUPERVISIONS, dict(type='LossMix', reg=False), dict(type='Visible')]


def stamped(batch, *supervisions):
    """The batch, each image with the next supervision, as a mixer leaves it."""
    built = [build_supervision(supervision) for supervision in supervisions]
    metas = [
        {**meta, MIX_SUPERVISION: built[i % len(built)]}
        for i, meta in enumerate(batch.metas)
    ]
    return batch._replace(metas=metas)


def some_mixed(case, supervision):
    """Two mixed images and one that the mixer left alone."""
    a, b = case.sides()
    batch = mixed(a, b, (0.8, 1.0, 0.3))
    batch.gt_instances[1], batch.metas[1] = a.gt_instances[1], a.metas[1]
    if supervision['type'] == 'Visible':
        for i in (0, 2):
            instances = batch.gt_instances[i]
            instances[MIX_VISIBILITY] = torch.linspace(0.2, 0.9, len(instances))
    return batch


@pytest.mark.parametrize('supervision', STAMPS, ids=str)
def test_the_stamp_is_as_the_heads_own_supervision(case, heads, supervision):
    preds, batch = case.predictions(), some_mixed(case, supervision)
    own = with_supervision(heads[1], **supervision)
    want = case.losses(own, preds, batch)
    got = case.losses(heads[1], preds, stamped(batch, supervision))
    identical(got, want, case.exact)
    # Both at once agree, and an equal supervision built anew is the same one.
    got = case.losses(own, preds, stamped(batch, supervision, supervision))
    identical(got, want, case.exact)


@pytest.mark.parametrize(('case', 'settings'), options('samplers'))
def test_stamped_images_that_were_not_mixed_are_stock(case, settings):
    """Every process makes the same passes whatever it drew; they add up to stock."""
    stock, mix = case.build(**settings)
    preds, (batch, _) = case.predictions(), case.sides()
    want = case.totals(stock, preds, batch)
    for supervision in STAMPS:
        got = case.totals(mix, preds, stamped(batch, supervision))
        # A term that is switched off has a pass, and a draw, of its own.
        later = case.reg if supervision.get('reg') is False and case.draws(mix) else ()
        close(got, want, later, rtol=1e-6, atol=1e-6)


def test_the_heads_own_supervision_wins(case, heads):
    preds, batch = case.predictions(), some_mixed(case, dict(type='LossMix'))
    own = with_supervision(heads[1], type='LossMix')
    want = case.losses(own, preds, batch)
    for other in ('BoxMix', 'WeightedUnion', 'Union'):
        got = case.losses(own, preds, stamped(batch, dict(type=other)))
        identical(got, want, case.exact)


def test_two_supervisions_in_a_batch_are_refused(case, heads):
    batch = stamped(mixed(*case.sides(), [0.7] * 3), *SUPERVISIONS[2:])
    with pytest.raises(ValueError, match='carry two supervisions'):
        case.losses(heads[1], case.predictions(), batch)


def test_every_head_is_in_the_suite():
    """A head of ours that reads the stamp, and is no subclass of one that is here."""
    assert {case.build()[1].__class__.__name__ for case in CASES} == {
        'MixSSDHead',
        'MixRPNHead',
        'MixRetinaHead',
        'MixStandardRoIHead',
        'MixYOLOV3Head',
    }
