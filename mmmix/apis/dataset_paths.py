"""Data sets that are not where the config says, and how to get them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmix.datasets.domain_data import CLIPART1K, DIGITS_TARGET, WATERCOLOR2K

_ADVICE = {
    'digits': (
        'Make the digits data: mmmix digits, which in a checkout is '
        'tools/dataset_converters/make_digits.py'
    ),
    'digits_target': DIGITS_TARGET,
    'clipart': CLIPART1K,
    'watercolor': WATERCOLOR2K,
    'voc': (
        'Pascal VOC: download VOCtrainval_06-Nov-2007.tar, VOCtest_06-Nov-2007.tar '
        'and VOCtrainval_11-May-2012.tar from '
        'http://host.robots.ox.ac.uk/pascal/VOC/ and unpack them in the folder '
        'data/, so that data/VOCdevkit/VOC2007/ and data/VOCdevkit/VOC2012/ each '
        'hold Annotations/, ImageSets/ and JPEGImages/'
    ),
    'coco': (
        'COCO: download train2017.zip, val2017.zip and '
        'annotations_trainval2017.zip from https://cocodataset.org/#download and '
        'unpack them in data/coco/, so that it holds train2017/, val2017/ and '
        'annotations/'
    ),
}


def check_dataset_paths(cfg: Config, splits: Sequence[str]) -> None:
    """Make sure that the files of data sets and metrics exist, before any is built.

    Args:
        cfg: The config of a run.
        splits: Of ``'train'``, ``'val'`` and ``'test'`` those that the command
            uses; one without a loop (``val_cfg=None``) is passed over.

    Raises:
        FileNotFoundError: If a folder or an annotation file is missing, with the
            absolute paths that were looked for, the config key of each, and how
            to get the data.
    """
    missing = [
        (key, path)
        for split in splits
        if cfg.get(f'{split}_cfg') is not None
        for key, path in (
            *_paths(cfg.get(f'{split}_dataloader'), f'{split}_dataloader'),
            *_files_of_metrics(cfg.get(f'{split}_evaluator'), f'{split}_evaluator'),
        )
        if not path.exists()
    ]
    if not missing:
        return
    lines = [f'  {path.absolute()}  ({key})' for key, path in missing]
    text = ' '.join(lines).lower()
    advice = [words for name, words in _ADVICE.items() if name in text]
    advice.append('Data elsewhere: link it there, or change the named config key')
    raise FileNotFoundError('\n'.join(['data not found:', *lines, *advice]))


def _paths(config: Any, key: str) -> Iterator[tuple[str, Path]]:
    """Config keys and paths of all data sets inside a dataloader or wrapper."""
    if not isinstance(config, Mapping):
        return
    yield from _paths(config.get('dataset'), f'{key}.dataset')
    for index, part in enumerate(config.get('datasets') or ()):
        yield from _paths(part, f'{key}.datasets[{index}]')
    if config.get('backend_args') is None:
        yield from _own_paths(config, key)


def _files_of_metrics(config: Any, key: str) -> Iterator[tuple[str, Path]]:
    """Config keys and paths of the annotations that metrics read themselves."""
    if isinstance(config, (list, tuple)):
        for index, part in enumerate(config):
            yield from _files_of_metrics(part, f'{key}[{index}]')
    if not isinstance(config, Mapping):
        return
    yield from _files_of_metrics(config.get('metrics'), f'{key}.metrics')
    if config.get('backend_args') is None:
        yield from _local(config.get('ann_file'), '', f'{key}.ann_file')


def _own_paths(config: Mapping, key: str) -> Iterator[tuple[str, Path]]:
    """What one data set reads: its root, or what lies under an existing root."""
    root = config.get('data_root') or ''
    if '://' in root:
        return
    if root and not Path(root).exists():
        yield f'{key}.data_root', Path(root)
        return
    parts = {'ann_file': config.get('ann_file')}
    prefixes = config.get('data_prefix') or {}
    if isinstance(prefixes, str):  # as mmpretrain allows
        prefixes = {'img_path': prefixes}
    parts.update({f'data_prefix.{name}': value for name, value in prefixes.items()})
    for name, value in parts.items():
        yield from _local(value, root, f'{key}.{name}')


def _local(value: Any, root: str, key: str) -> Iterator[tuple[str, Path]]:
    """The path that a setting names, if it names one on this machine."""
    if isinstance(value, str) and value and '://' not in value:
        yield key, Path(root) / value
