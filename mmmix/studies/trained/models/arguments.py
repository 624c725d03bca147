"""Models and options on the command line of every study."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from mmmix.apis.arguments import Options, add_device_argument, argument, read_count
from mmmix.apis.checkpoints.loading import add_trust_argument
from mmmix.apis.configs.config_reading import config_name
from mmmix.studies.trained.images.splits import SPLITS


class ModelSpec(NamedTuple):
    """A trained model as the command line names it."""

    name: str
    """The method; several seeds of a method share it."""
    config: str
    checkpoint: str

    def __str__(self) -> str:
        """As :func:`parse_model` reads it."""
        return f'{self.name}={self.config}@{self.checkpoint}'


def parse_model(text: str) -> ModelSpec:
    """Read ``[NAME=]CONFIG@CHECKPOINT``.

    The name ends at the first ``=`` and the config at the first ``@`` after it.
    Without a name it is the config's, without folder and ending.

    Raises:
        ValueError: If there is no ``@``, or a part is empty.
    """
    left, at, checkpoint = text.partition('@')
    name, equals, config = left.partition('=') if '=' in left else ('', '', left)
    if not at or not config or not checkpoint or (equals and not name):
        raise ValueError(
            f'a model is given as [NAME=]CONFIG@CHECKPOINT, such as '
            f'union=configs/demo/ssd_digits_union.py@epoch_30.pth; got {text!r}'
        )
    return ModelSpec(name or config_name(config), config, checkpoint)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the models and the options that all studies have.

    ``args.models`` becomes a list of :class:`ModelSpec`.
    """
    add = parser.add_argument
    add(
        'models',
        nargs='+',
        type=argument(parse_model),
        metavar='[NAME=]CONFIG@CHECKPOINT',
        help="a model; NAME defaults to the config's name. The same NAME several "
        'times: seeds of one method, in one order for all methods. The first NAME is '
        'the reference of differences',
    )
    add('--out', type=Path, required=True, metavar='DIR', help='folder of the results')
    add('--split', choices=SPLITS, default='test', help='default: test')
    add(
        '--limit',
        type=argument(read_count),
        metavar='N',
        help='only the first N images',
    )
    add(
        '--batch-size',
        type=argument(read_count),
        default=16,
        help='images at a time (default: 16)',
    )
    add_device_argument(parser)
    add(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='change settings of all configs, e.g. model.test_cfg.score_thr=0.05',
    )
    add_trust_argument(parser)


def add_cache_argument(parser: argparse.ArgumentParser, each: str) -> None:
    """Add ``--cache``, the memory for decoded images, of studies that repeat them.

    Args:
        parser: The parser.
        each: What an image beyond it is decoded again for, such as ``'copy'``.
    """
    parser.add_argument(
        '--cache',
        type=float,
        default=4.0,
        metavar='GB',
        help='memory for decoded images; what goes beyond is decoded again for every '
        f'{each} (default: 4)',
    )
