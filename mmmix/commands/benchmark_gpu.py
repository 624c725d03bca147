"""The price of mixed training on this machine, for several detectors, in one go.

For each detector the stock config of mmdet is the reference; beside it step our plain
config and Union, BoxMix and LossMix, or what of these it can do. Batches are synthetic,
so that neither data nor weights are needed. Times are medians of paired rounds with a
95 % interval, as of benchmark_step.py, memory is the peak of a step. EMA updates of a
teacher, against mmdet's, and AlignMix's plan, against a naive one, follow. A ratio is
a share of the reference's time, in every row. What fails is named at the end and does
not stop the rest. `make benchmark-gpu` of a checkout builds mmcv first and runs the
CUDA tests.

    python tools/analysis_tools/benchmark_gpu.py --out price
    python tools/analysis_tools/benchmark_gpu.py --out price --amp --only ssd300 yolov3
    python tools/analysis_tools/benchmark_gpu.py --out price --small --device cpu

Written to the folder: one JSON with all numbers (price.json), one table (price.md), and
every benchmark's own rounds.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmmix.apis.arguments import COUNT, add_device_argument
from mmmix.apis.reporting import markdown_table, write_json
from mmmix.apis.run_command import run_command
from mmmix.commands import benchmark_ema, benchmark_sinkhorn, benchmark_step
from mmmix.layouts.writing import check_writable
from mmmix.studies.speed.benchmark import machine
from mmmix.studies.speed.benchmark_cli import ratio_cell


class Suite(NamedTuple):
    """A detector's configs.

    Attributes:
        configs: The reference, and those to compare with it.
        batch: Images of a step.
        size: (height, width) of an image.
    """

    configs: tuple[str, ...]
    batch: int
    size: tuple[int, int]


def _methods(stock: str, ours: str) -> tuple[str, ...]:
    """The stock config, and ours with every method."""
    names = ('', '_union', '_boxmix', '_lossmix')
    return (stock, *(f'mmmix::{ours}{name}.py' for name in names))


_SSD = _methods('mmdet::pascal_voc/ssd300_voc0712.py', 'ssd300_voc')
_YOLO = _methods('mmdet::yolo/yolov3_d53_8xb8-ms-416-273e_coco.py', 'yolov3_d53_coco')
_RCNN = _methods(
    'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 'faster-rcnn_r50_coco'
)
_RETINA = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
_FCOS = 'mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py'
_DINO = 'mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py'
_LARGE = (800, 1344)

SUITES = {
    'ssd300': Suite(_SSD, 8, (300, 300)),
    'ssd300-32': Suite(_SSD, 32, (300, 300)),
    'yolov3': Suite(_YOLO, 8, (416, 416)),
    'faster-rcnn': Suite(_RCNN, 8, _LARGE),
    'retinanet': Suite((_RETINA, f'{_RETINA}+lossmix'), 8, _LARGE),
    'fcos': Suite((_FCOS, f'{_FCOS}+lossmix'), 4, _LARGE),
    'dino': Suite((_DINO, f'{_DINO}+lossmix'), 2, _LARGE),
}
"""What is timed, by name."""

OTHERS = ('ema', 'sinkhorn')
_SMALL_BATCH, _SMALL_ROUNDS = 2, 2
# SSD has no maps of smaller images, and DINO asks for 900 of the cells of all maps.
_SMALL = {'ssd300': (300, 300), 'dino': (256, 256)}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = (*SUITES, *OTHERS)
    add('--out', type=Path, required=True, help='folder of the results')
    add('--only', nargs='+', choices=names, default=names, help='default: all')
    add('--rounds', type=COUNT, default=20, help='timed rounds (default: 20)')
    add('--warmups', type=int, default=3, help='rounds before them (default: 3)')
    add_device_argument(parser)
    add('--amp', action='store_true', help='once more in mixed precision; on CUDA')
    add('--small', action='store_true', help='two small images, two rounds: a trial')
    args = parser.parse_args(argv)
    if args.amp and not args.device.startswith('cuda'):
        parser.error(f'--amp needs --device cuda, got {args.device}')
    return args


def arguments(name: str, args: argparse.Namespace, amp: bool) -> list[str]:
    """Arguments of benchmark_step.py for a suite."""
    suite = SUITES[name]
    batch, size, rounds = suite.batch, suite.size, (args.rounds, args.warmups)
    if args.small:
        batch, size, rounds = (
            _SMALL_BATCH,
            _SMALL.get(name, (64, 64)),
            (_SMALL_ROUNDS, 1),
        )
    argv = [*suite.configs, '--batch-size', batch, '--size', *size]
    argv += ['--rounds', rounds[0], '--warmups', rounds[1], '--device', args.device]
    argv += ['--out', args.out / f'{name}{"-amp" if amp else ""}.json']
    if amp:
        argv += ['--cfg-options', 'optim_wrapper.type=AmpOptimWrapper']
    return list(map(str, argv))


def other(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Time what is no training step."""
    rounds = (_SMALL_ROUNDS, 1) if args.small else (args.rounds, args.warmups)
    argv = ['--rounds', rounds[0], '--warmups', rounds[1], '--device', args.device]
    argv += ['--out', args.out / f'{name}.json']
    command = {'ema': benchmark_ema, 'sinkhorn': benchmark_sinkhorn}[name]
    if args.small and name == 'sinkhorn':
        argv += ['--size', 6, 6, '--channels', 8]
    return command.main(list(map(str, argv)))


def tasks(args: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is to be done, by name."""
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    for name in args.only:
        if args.small and name == 'ssd300-32':
            continue  # the same as ssd300 then
        if name in OTHERS:
            found[name] = lambda name=name: other(name, args)
            continue
        for amp in (False, True) if args.amp else (False,):
            argv = arguments(name, args, amp)
            key = f'{name} amp' if amp else name
            found[key] = lambda argv=argv: benchmark_step.main(argv)
    return found


def table(results: dict[str, dict[str, Any]]) -> str:
    """All contenders of all benchmarks, with their ratio to the reference."""
    rows = []
    for task, summaries in results.items():
        for name, summary in summaries.items():
            step, memory = summary.get('step_s'), summary.get('peak_bytes')
            rows.append(
                [
                    task,
                    name,
                    'n/a' if step is None else f'{1000 * step:.1f}',
                    'n/a' if memory is None else f'{memory / 2**20:.0f}',
                    ratio_cell(summary) if 'ratio' in summary else 'n/a',
                ]
            )
    header = ['benchmark', 'config', 'step ms', 'peak MiB', 'ratio']
    return markdown_table(header, rows)


def main(argv: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Run the command; returns the summaries by benchmark and contender.

    Raises:
        OSError: If ``--out`` cannot be written to.
        RuntimeError: At the end, if a benchmark failed.
    """
    args = parse_args(argv)
    check_writable([args.out / 'price.json'])
    args.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for name, task in tasks(args).items():
        print(f'\n{name}\n', flush=True)
        try:
            results[name] = task()
        except Exception as error:  # noqa: BLE001  # one detector stops no other
            traceback.print_exc(file=sys.stderr)
            failed[name] = f'{type(error).__name__}: {error}'
        content = {
            'machine': machine(args.device),
            'results': results,
            'failed': failed,
        }
        write_json(args.out / 'price.json', content)
        (args.out / 'price.md').write_text(f'{table(results)}\n', encoding='utf-8')
    print(f'\n{table(results)}')
    if failed:
        reasons = '; '.join(f'{name}: {reason}' for name, reason in failed.items())
        raise RuntimeError(f'{len(failed)} benchmarks failed, {reasons}')
    return results


def run() -> None:
    """Run the command as a program."""
    run_command(main, quiet=True)


if __name__ == '__main__':
    run()
