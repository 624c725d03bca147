"""Look for faults in the stack, the data and the config before a training.

Every image is decoded once, and one batch goes through the model. The exit code is 1 if
a fault was found that makes a training pointless, else 0. A quick form of the same runs
at the start of each training (`--no-check` leaves it out).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mmmix.apis.plain_errors import text_of
from mmmix.apis.run_checks.finding import (
    FAULT,
    RAISED,
    Finding,
    as_json,
    as_table,
    is_sound,
)
from mmmix.apis.run_checks.stack import check_versions

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', nargs='?', help='of a training; without one, the stack alone')
    add('--mix', metavar='NAME', help='as in mmmix train')
    add('--mix-options', nargs='+', metavar='KEY=VALUE', help='settings of --mix')
    add(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='change settings of the config, as in mmmix train',
    )
    add('--no-pictures', action='store_true', help='do not decode the images')
    add('--no-batch', action='store_true', help='send no batch through the model')
    add('--json', action='store_true', help='print the findings as JSON')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was found; returns the exit code."""
    args = parse_args(argv)
    start = time.perf_counter()
    # What the stack prints on the way would spoil the report.
    with redirect_stdout(sys.stderr), TemporaryDirectory() as folder:
        findings = list(check_versions())
        if args.config and is_sound(findings):
            findings += check_config(args, folder)
    if args.json:
        print(json.dumps(as_json(findings), indent=2))
    else:
        print(as_table(findings))
        print(f'{time.perf_counter() - start:.0f} s')
    return 0 if is_sound(findings) else 1


def check_config(args: argparse.Namespace, folder: str) -> Iterator[Finding]:
    """Look at a config, its data and its model."""
    from mmmix.commands.console import register_all

    register_all()
    # What follows needs the stack, which was only now found to be there.
    from mmmix.apis.cli import TRAINING, check_complete
    from mmmix.apis.run_checks.anchors import check_sizes
    from mmmix.apis.run_checks.batch import build_model, check_batch, check_weights
    from mmmix.apis.run_checks.data_sets import check_contents, load_data_sets
    from mmmix.apis.run_checks.pictures import check_pictures
    from mmmix.apis.run_checks.reach import check_reach
    from mmmix.apis.run_checks.schedule import check_loop, check_optimizer
    from mmmix.apis.run_checks.shifts import check_shifts
    from mmmix.apis.run_checks.stack import check_mmpretrain
    from mmmix.registry import is_classifier

    try:
        cfg = read(args)
        family = list(check_mmpretrain()) if is_classifier(cfg) else []
        if is_sound(family):
            check_complete(cfg, TRAINING)
    except RAISED as error:
        text = text_of(error)
        place = '' if args.config in text else f'{args.config}: '
        yield Finding(FAULT, 'config', f'{place}{text}')
        return
    yield from family
    if not is_sound(family):
        return
    loaded = load_data_sets(cfg)
    yield from loaded.findings
    yield from check_contents(loaded)
    yield from check_reach(loaded)
    yield from check_shifts(loaded)
    if not args.no_pictures:
        yield from check_pictures(loaded)
    runner, problems = build_model(cfg, folder)
    yield from problems
    yield from check_sizes(loaded, runner and runner.model)
    yield from check_weights(cfg, runner)
    if runner is None:
        return
    ready = is_sound(loaded.findings)
    problems = list(check_loop(runner)) if ready else []
    yield from problems
    ready &= not problems
    yield from check_optimizer(runner, with_schedule=ready)
    if ready and not args.no_batch:
        yield from check_batch(runner)


def read(args: argparse.Namespace) -> Config:
    """The config with its options, which are read here: the stack was not there yet."""
    from mmmix.apis.configs.config_reading import parsed_options, read_config

    cfg_options, mix_options = (
        parsed_options(given or ()) for given in (args.cfg_options, args.mix_options)
    )
    return read_config(args.config, cfg_options, args.mix, mix_options)


if __name__ == '__main__':
    raise SystemExit(main())
