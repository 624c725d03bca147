"""The labels that whole images have in a classifier's data set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmix.datasets.contents import ImageNotes
from mmmix.datasets.contents.image_watch import LABEL, SHOWN

from .class_names import NO_CHECK, Source

_LISTS = ('CustomDataset', 'ImageNet', 'ImageNet21k')
"""Data sets of mmpretrain that read lists of images and labels."""


def class_count(cfg: Config) -> int | None:
    """How many classes the classifier of a config has, if it says so."""
    model = cfg.get('model') or {}
    for part in (
        model.get('head'),
        model.get('data_preprocessor'),
        cfg.get('data_preprocessor'),
    ):
        count = part.get('num_classes') if isinstance(part, Mapping) else None
        if isinstance(count, int):
            return count
    return None


def check_folders(sources: Sequence[Source]) -> None:
    """Make sure that folders of images number the classes alike.

    mmpretrain numbers those of each split by themselves, in alphabetical order, and of
    ``metainfo`` it compares no more than how many names there are.

    Args:
        sources: The data sets.

    Raises:
        ValueError: If splits have other folders, or names stand in another order.
    """
    trees = [(s, tuple(getattr(s.dataset, 'folder_to_idx', ()))) for s in sources]
    trees = [(source, folders) for source, folders in trees if folders]
    for source, folders in trees:
        first, known = trees[0]
        if folders != known:
            odd = sorted(set(folders) ^ set(known))
            raise ValueError(
                f'{first.key} has a folder for each of {len(known)} classes, and '
                f'{source.key} for each of {len(folders)}; {odd[:SHOWN]} are in one of '
                'them alone. Classes are numbered by the folders of each split: give '
                f'every split a folder of each class, if need be empty; {NO_CHECK}'
            )
        if source.classes != folders and sorted(source.classes) == list(folders):
            raise ValueError(
                f'{source.key}: folders are numbered in the order of the alphabet, '
                f'{list(folders[:SHOWN])}, and metainfo=dict(classes=...) starts with '
                f'{list(source.classes[:SHOWN])}: classes would be called by wrong '
                f'names. Write it in that order, or leave it out; {NO_CHECK}'
            )


def check_image_labels(source: Source, counted: int | None) -> None:
    """Make sure that the labels of images stand for classes.

    Those of a folder tree do: folders are numbered. What an annotation file says is
    looked at before a step fails on it, or a validation ends a training.

    Args:
        source: The data set.
        counted: How many classes the model has; None if that is not known.

    Raises:
        ValueError: If one is negative, or too high for the data set's classes or the
            model's; with file and images.
    """
    named = None if source.classes is None else len(source.classes)
    count = min((n for n in (named, counted) if n is not None), default=None)
    if count is None or not getattr(source.dataset, 'ann_file', ''):
        return
    notes = source.images or _notes(source.dataset)
    wrong = [label for label in notes.counts if not 0 <= label < count]
    if not wrong:
        return
    images = sorted((*image, label) for label in wrong for image in notes.first[label])
    some = ', '.join(f'{path} has {label}' for _, path, label in images[:SHOWN])
    total = sum(notes.counts[label] for label in wrong)
    more = f' and {total - SHOWN} more' if total > SHOWN else ''
    hint = ' Are they counted from 1?' if min(notes.counts) == 1 else ''
    raise ValueError(
        f'{source.key} ({source.dataset.ann_file}): expected labels from 0 to '
        f'{count - 1} of {count} classes, got {some}{more}.{hint} '
        'Correct the file, metainfo=dict(classes=...) of the data, or num_classes of '
        f'model.head and model.data_preprocessor; {NO_CHECK}'
    )


def _notes(dataset: Any) -> ImageNotes:
    """The labels of a data set whose loading nobody watched."""
    notes = ImageNotes()
    known = hasattr(dataset, 'get_data_info') and len(dataset)
    if known and LABEL in dataset.get_data_info(0):
        notes.take(dataset.get_data_info(index) for index in range(len(dataset)))
    return notes


def bad_line(config: Any) -> str | None:
    """The first line that is no image and label, in the lists of a data set's config.

    mmpretrain's error says neither the file nor the line.

    Args:
        config: Of a data set, or of one that wraps others.
    """
    for path in _lists(config):
        lines = path.read_text('utf-8', errors='replace').splitlines()
        for number, line in enumerate(lines, 1):
            name, _, label = line.strip().rpartition(' ')
            if not name or not re.fullmatch(r'[-+]?\d+', label):
                return (
                    f'{path}:{number}: expected an image, a space and the number of '
                    f'its class, got {line!r}'
                )
    return None


def _lists(config: Any) -> Iterator[Path]:
    """Files of images and labels that data sets of a config read."""
    if not isinstance(config, Mapping):
        return
    for part in (config.get('dataset'), *(config.get('datasets') or ())):
        yield from _lists(part)
    kind = str(config.get('type')).rpartition('.')[2]
    if kind in _LISTS and config.get('ann_file') and config.get('with_label', True):
        path = Path(config.get('data_root') or '', config['ann_file'])
        if path.is_file():
            yield path
