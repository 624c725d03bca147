"""Checkpoints between the iterations of a step, where a run has more than one interval.

``test_stop_hook.py`` has the runs with one.
"""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import nn, optim

from mmmix.engine import WholeCheckpointHook, whole_steps

VAL, LATER = 'train_cfg.val_interval', 'train_cfg.dynamic_intervals'


@pytest.mark.parametrize(
    ('kind', 'intervals', 'passes', 'said'),
    [
        (IterBasedTrainLoop, [4, 2], 2, []),
        (IterBasedTrainLoop, [4, 2, 4, 2], 4, [(LATER, 2, 4)]),
        (IterBasedTrainLoop, [2, 4, 3], 4, [(VAL, 2, 4), (LATER, 3, 4)]),
        (EpochBasedTrainLoop, [2, 1], 6, [(LATER, 1, 2)]),  # of 9 iterations
    ],
)
def test_every_interval_of_validations_is_looked_at(
    kind, intervals, passes, said, monkeypatch
):
    """With ``save_best`` each of them may save a checkpoint."""
    loop = kind.__new__(kind)
    loop.val_interval, loop.dynamic_intervals = intervals[0], intervals
    sgd = optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    runner = SimpleNamespace(
        optim_wrapper=OptimWrapper(sgd, accumulative_counts=passes),
        train_loop=loop,
        train_dataloader=range(9),
        val_loop=object(),
        hooks=[WholeCheckpointHook(interval=-1, save_best='up', rule='greater')],
    )
    texts = []
    monkeypatch.setattr(whole_steps, 'print_log', lambda text, **_: texts.append(text))
    whole_steps.warn_of_split_steps(runner)
    found = [re.match(r'(\S+) .*=(\d+) .* multiple of (\d+)', text) for text in texts]
    assert [match.groups() for match in found] == [
        (key, str(interval), str(fewest)) for key, interval, fewest in said
    ]
