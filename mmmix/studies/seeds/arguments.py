"""The options of ``study`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmmix.apis.arguments import Options, argument, option, read_seed
from mmmix.studies.seeds.grid import parse_axis
from mmmix.studies.seeds.records import METRICS
from mmmix.studies.seeds.runs import parse_train_args
from mmmix.studies.seeds.search import parse_span


def add_study_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the configs, and all that says how and where they are run."""
    add = parser.add_argument
    add('configs', nargs='+', help='the first one is the reference of differences')
    add(
        '--seeds',
        type=argument(read_seed),
        nargs='+',
        default=[0, 1, 2],
        help='(default: 0 1 2)',
    )
    add('--work-dir', type=Path, required=True, help='of all runs, results and report')
    add(
        '--checkpoint',
        choices=tuple(METRICS),
        default='last',
        help='which one of a run is tested and reported (default: last)',
    )
    add(
        '--jobs',
        type=int,
        help='runs at a time (default: as many as --gpus has for, else 1)',
    )
    add(
        '--threads',
        type=int,
        default=1,
        help='threads of each run (default: %(default)s)',
    )
    add('--gpus', nargs='+', default=(), help='device ids to share out among runs')
    add(
        '--nproc',
        type=int,
        default=1,
        help='processes, and GPUs, of each run (default: %(default)s)',
    )
    add(
        '--executor',
        choices=('local', 'slurm'),
        default='local',
        help='(default: %(default)s)',
    )
    add(
        '--executor-options',
        nargs='+',
        action=Options,
        default={},
        metavar='KEY=VALUE',
        help='of submitit: slurm_partition, timeout_min, gpus_per_node, cpus_per_task',
    )
    add(
        '--grid',
        type=argument(parse_axis),
        nargs='+',
        default=[],
        metavar='KEY=VALUE,VALUE',
        help='vary settings; mix.KEY is one of the method, e.g. mix.ratio.alpha=0.2,1',
    )
    add('--metric', nargs='+', metavar='KEY', help='default: all; e.g. coco/AP')
    add(
        '--train-args',
        type=argument(parse_train_args),
        default=[],
        help="as in --train-args='--amp --no-pretrained'",
    )
    words = dict(nargs='+', type=argument(option), default=(), metavar='KEY=VALUE')
    add('--cfg-options', **words)
    add('--mix', metavar='NAME', help='method to put into every config')
    add('--mix-options', **words)
    add(
        '--search',
        type=argument(parse_span),
        metavar='KEY=LOW:HIGH',
        help='instead: choose a setting of one config by Optuna, on val and with the '
        'first of --seeds; no tests',
    )
    add('--trials', type=int, default=20, help='trainings of --search (default: 20)')
    add(
        '--heartbeat',
        type=float,
        default=60,
        help='seconds between signs of life (default: %(default)s)',
    )
    add('--report', action='store_true', help='only print what there is, of all seeds')
