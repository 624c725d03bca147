"""The leaf configs of domain adaptation, and what each should be."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, NamedTuple

from mmdet.datasets import VOCDataset
from mmengine.config import Config

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.testing.digits.settings import CLASSES as DIGITS

from .config_cases import load
from .tiny_data import moved, write_tiny_data, write_voc

VOC = VOCDataset.METAINFO['classes']
SIX = ('bicycle', 'bird', 'car', 'cat', 'dog', 'person')
LAMBDAS = ('mss', 'nst', 'mtt', 'mst', 'disc')


class Method(NamedTuple):
    """What makes a method.

    Attributes:
        terms: The terms of both phases together.
        mixed: Those that mix two images in balance.
        noisy: Those that put noise of the target into the source.
        supervision: That of the balanced mixers.
        domains: The labelled and the unlabelled data.
    """

    terms: tuple[str, ...]
    mixed: tuple[str, ...] = ()
    noisy: tuple[str, ...] = ()
    supervision: str = 'Union'
    domains: tuple[str, ...] = ('source', 'target')


BALANCED = ('mss', 'mtt', 'mst')
DOMAIN_METHODS = {
    'source-only': Method(('mss',), domains=('source',)),
    'oracle': Method(('mss',), domains=('target',)),
    'mean-teacher': Method(('mss', 'mtt')),
    'adaptive-teacher': Method(('mss', 'mtt', 'disc')),
    'noise': Method(LAMBDAS, noisy=('nst', 'mst')),
    'union': Method(LAMBDAS, mixed=BALANCED, noisy=('nst',)),
    'lossmix': Method(LAMBDAS, mixed=BALANCED, noisy=('nst',), supervision='LossMix'),
}


class Pair(NamedTuple):
    """What is labelled, what is not, and where it is tested, below ``data/``."""

    target: str
    dataset: str
    classes: tuple[str, ...]
    test: str


PAIRS = {
    'voc-clipart': Pair('clipart', 'Clipart1kDataset', VOC, 'test'),
    'voc-watercolor': Pair('watercolor', 'Watercolor2kDataset', SIX, 'test'),
    'voc12-clipart': Pair('clipart', 'Clipart1kDataset', VOC, 'test'),
    'voc12-watercolor': Pair('watercolor', 'Watercolor2kDataset', SIX, 'test'),
    'digits-domain': Pair('digits_target', 'XMLDataset', DIGITS, 'val'),
}
R101 = 'domain_adaptation/faster-rcnn_r101-c4'
SMALL_BATCH = [f'{R101}_{pair}_lossmix-1gpu.py' for pair in PAIRS if 'voc-' in pair]
# To the letter of the papers.
LETTER = sorted(
    [f'{R101}_voc-clipart_{m}-paper.py' for m in ('lossmix', 'union', 'noise')]
    + [f'{R101}_voc-watercolor_lossmix-paper.py']
    + [
        f'{R101}_{pair}_adaptive-teacher-paper.py'
        for pair in ('voc12-clipart', 'voc12-watercolor')
    ]
)
PAPER = [m for m in DOMAIN_METHODS if m != 'mean-teacher']
# {detector}_{pair} -> methods
DOMAIN_MATRIX = {
    f'{R101}_voc-clipart': PAPER,
    f'{R101}_voc-watercolor': PAPER,
    'domain_adaptation/ssd300_voc-clipart': PAPER,
    'demo/ssd_digits-domain': list(DOMAIN_METHODS),
    'demo/faster-rcnn_digits-domain': list(DOMAIN_METHODS),
}
METHOD_LEAVES = sorted(
    f'{base}_{m}.py' for base, ms in DOMAIN_MATRIX.items() for m in ms
)
DOMAIN_LEAVES = sorted(METHOD_LEAVES + SMALL_BATCH + LETTER)


def parts(leaf: str) -> tuple[str, Pair, Method]:
    """The base of a leaf's name, its data and its method."""
    base, _, method = leaf.removesuffix('.py').rpartition('_')
    pair = PAIRS[base.rpartition('_')[2]]
    return base, pair, DOMAIN_METHODS[re.sub('-(1gpu|paper)$', '', method)]


def domains(cfg: Config) -> list[dict[str, Any]]:
    """The data sets of a config that a batch is drawn from."""
    return cfg.train_dataloader.dataset.dataset.datasets


def single_sets(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a data set that may be a ``ConcatDataset``."""
    return dataset.get('datasets', [dataset])


def write_domain_data(root: Path) -> None:
    """``write_tiny_data`` and the targets, in the places of ``data/``."""
    write_tiny_data(root)
    for name in ('clipart', 'watercolor'):
        write_voc(root / name, {'train': 't', 'test': 'u'}, VOC)
    splits = {'train': 't', 'val': 'u', 'test': 'v'}
    write_voc(root / 'digits_target', splits, DIGITS)


def on_domain_data(leaf: str, root: Path) -> Config:
    """A leaf without pretrained weights and worker processes, on tiny data."""
    cfg = Config(moved(copy.deepcopy(load(leaf)).to_dict(), root))
    drop_pretrained(cfg)
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    return cfg
