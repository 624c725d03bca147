"""Where targets are made image by image, the losses are those of all at once."""

from __future__ import annotations

import pytest

from tests.helpers import mixed, with_supervision

from .case import close
from .cases import SUPERVISIONS

ASKED = ('_targets_at_once', 'draws_at_once', 'assigns_at_once')
"""How heads know whether assigner, sampler and losses are known."""


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=lambda s: s['type'])
def test_unknown_assigners_change_no_loss(case, supervision):
    """Also where single boxes have weights, and components no object."""
    _, mix = case.build(**next(iter(case.unmixed.values())))
    head = with_supervision(mix, **supervision)
    asked = [name for name in ASKED if hasattr(head, name)]
    if not asked:
        pytest.skip('it has one way alone')
    a, b = case.sides()
    none = a._replace(gt_instances=[one[:0] for one in a.gt_instances])
    for first, second in ((a, b), (none, b), (b, none)):
        preds, batch = case.predictions(), mixed(first, second, (0.3, 0.9, 0.5))
        at_once = case.totals(head, preds, batch)
        with pytest.MonkeyPatch.context() as patch:
            for name in asked:
                patch.setattr(head, name, lambda *_: False)
            close(case.totals(head, preds, batch), at_once, rtol=2e-5, atol=1e-6)
