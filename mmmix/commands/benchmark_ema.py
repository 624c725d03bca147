"""Compare the speed of MixTeacherHook with that of mmdet's MeanTeacherHook.

Each hook has a teacher and a student of its own, with the parameters and buffers of
a config's detector (default: Faster R-CNN R50 FPN). The hooks take turns in one
process, in an order that rotates every round; a round is a number of updates. Both
average the buffers, mmdet's by skip_buffer=False. Printed per hook: the median time of
an update over rounds, and its share of the time of mmdet's, paired by round, as median
with a bootstrap 95 % interval. In the end both teachers have to agree.

On a CPU an update is bound by memory, which both hooks read and write once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace

import torch
from mmdet.engine.hooks import MeanTeacherHook
from mmdet.registry import MODELS
from mmengine.hooks import Hook
from torch import nn

from mmmix.apis.arguments import COUNT, Options
from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.reporting import markdown_table
from mmmix.apis.run_command import run_command
from mmmix.engine import MixTeacherHook
from mmmix.engine.hooks.teachers.mix_teacher_hook import BUFFERS
from mmmix.studies.speed.benchmark import (
    CLOCKS,
    Interval,
    Measurement,
    verdict,
)
from mmmix.studies.speed.benchmark_cli import (
    Records,
    Summaries,
    add_benchmark_arguments,
    pick_clock,
    ratio_cell,
    run_rounds,
    seconds_and_ratios,
)

_OURS, _MMDET = 'MixTeacherHook', 'MeanTeacherHook'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        '--config',
        default='mmmix::faster-rcnn_r50_coco.py',
        help='default: %(default)s',
    )
    add('--updates', type=COUNT, default=10, help='per hook and round (default: 10)')
    add('--momentum', type=float, default=0.0004, help='default: %(default)s')
    add(
        '--buffers',
        choices=BUFFERS,
        default='ema',
        help='what MixTeacherHook does with them (default: ema, as mmdet)',
    )
    add('--goal', type=float, help='upper bound of the ratio, e.g. 0.7')
    add('--cfg-options', nargs='+', action=Options)
    add_benchmark_arguments(parser)
    return parser.parse_args(argv)


class Updates:
    """Updates of one hook; calling it makes and times a round of them.

    Args:
        hook: MixTeacherHook or MeanTeacherHook.
        model: Holds ``teacher`` and ``student``.
        count: Updates in a round.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        hook: Hook,
        model: nn.Module,
        count: int,
        clock: Callable[[], float] = CLOCKS['wall'],
    ) -> None:
        self.model = model
        self._hook, self._count, self._clock = hook, count, clock
        self._device = next(model.parameters()).device
        # What the hooks read of a Runner in the middle of a training.
        self._runner = SimpleNamespace(
            model=model,
            iter=1,
            train_dataloader=SimpleNamespace(sampler=None, dataset=None),
            max_iters=sys.maxsize,
            optim_wrapper=SimpleNamespace(
                should_update=lambda: True, _accumulative_counts=1
            ),
        )
        hook.after_load_checkpoint(self._runner, model.state_dict())
        hook.before_train(self._runner)

    def __call__(self, index: int) -> Measurement:
        """Make a round of updates; returns ``seconds`` of one."""
        start = self._now()
        for _ in range(self._count):
            self._hook.after_train_iter(self._runner, index)
        return {'seconds': (self._now() - start) / self._count}

    def _now(self) -> float:
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        return self._clock()


def contenders(args: argparse.Namespace) -> dict[str, Updates]:
    """Both hooks, each with the same teacher and student."""
    cfg = read_config(args.config, args.cfg_options)
    drop_pretrained(cfg, warn=False)
    hooks = {
        _OURS: MixTeacherHook(args.momentum, buffers=args.buffers, distance_interval=0),
        _MMDET: MeanTeacherHook(args.momentum, skip_buffer=False),
    }
    clock = pick_clock(args, workers=0)
    result = {}
    for name, hook in hooks.items():
        torch.manual_seed(args.seed)
        model = nn.ModuleDict(
            dict(teacher=MODELS.build(cfg.model), student=MODELS.build(cfg.model))
        )
        for detector in model.values():  # some leave memory that nobody wrote to
            detector.init_weights()
        model.to(args.device)
        model.teacher.requires_grad_(False)
        result[name] = Updates(hook, model, args.updates, clock)
    return result


def summarize(goal: float | None, records: Records) -> Summaries:
    """Median time of an update, and its ratio to mmdet's."""
    summaries = seconds_and_ratios(_OURS, _MMDET, records)
    if goal is not None:
        ratio = Interval(**summaries[_OURS]['ratio'])
        summaries[_OURS].update(goal=goal, verdict=verdict(ratio, goal))
    return summaries


def check_agreement(updates: dict[str, Updates], summaries: Summaries) -> None:
    """Compare what both hooks made of their teachers.

    Raises:
        ArithmeticError: If a parameter differs by more than rounding errors.
    """
    ours, theirs = (
        dict(updates[name].model.teacher.named_parameters()) for name in (_OURS, _MMDET)
    )
    for name, parameter in ours.items():
        if not torch.allclose(parameter, theirs[name], rtol=1e-4, atol=1e-6):
            raise ArithmeticError(f'the two teachers differ in {name}')


def table(summaries: Summaries) -> str:
    """The printed table."""
    rows = [
        [name, f'{1000 * summary["seconds"]:.2f}', ratio_cell(summary)]
        for name, summary in summaries.items()
    ]
    return markdown_table(['hook', 'update ms', f'of {_MMDET}'], rows)


def main(argv: Sequence[str] | None = None) -> Summaries:
    """Run the command; returns the summaries by hook."""
    args = parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    updates = contenders(args)
    tensors = updates[_OURS].model.teacher.state_dict().values()
    numbers = sum(tensor.numel() for tensor in tensors)
    print(f'{len(tensors)} tensors, {numbers / 1e6:.1f} M numbers, {args.device}')
    finish = partial(check_agreement, updates)
    return run_rounds(updates, args, partial(summarize, args.goal), table, finish)


def run() -> None:
    """Run the command as a program."""
    run_command(main, quiet=True)


if __name__ == '__main__':
    run()
