"""Where processes of several machines put the results of an evaluation together."""

from __future__ import annotations

import os.path as osp

from mmengine.dist import get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner


class SharedResultsHook(Hook):
    """Let metrics collect their parts in a folder of the run's own.

    mmengine takes a folder in the current directory, which on several machines need
    not be the same. The working directory has to be, for checkpoints. Metrics with a
    ``collect_dir`` of their own, or that collect on GPUs, keep to that.
    """

    def before_val_epoch(self, runner: Runner) -> None:
        """Before the results of a validation are collected."""
        _collect_in(runner, runner.val_loop.evaluator)

    def before_test_epoch(self, runner: Runner) -> None:
        """Before the results of a test are collected."""
        _collect_in(runner, runner.test_loop.evaluator)


def _collect_in(runner: Runner, evaluator: Evaluator) -> None:
    if get_dist_info()[1] == 1:
        return
    for number, metric in enumerate(evaluator.metrics):
        if metric.collect_device == 'cpu' and metric.collect_dir is None:
            metric.collect_dir = osp.join(runner.log_dir, f'results_{number}')
