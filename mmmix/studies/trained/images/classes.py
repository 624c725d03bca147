"""Whether labels mean the same to a model and to the images of a study."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.datasets import CocoDataset
from mmengine.dataset import BaseDataset
from mmengine.fileio import load

from mmmix.apis.data_checks.class_names import check_order
from mmmix.apis.reporting import say
from mmmix.datasets.contents.coco_reader import names_by_label


def check_classes(dataset: BaseDataset, classes: Sequence[str], key: str) -> None:
    """Make sure that a label is one class in the data and in the model.

    Classes that have other names in the same places are said: they may be other words.

    Args:
        dataset: The images of a study, loaded.
        classes: Those of the model, by label; none are not compared.
        key: Place of the data set in the config.

    Raises:
        ValueError: If a name that both have is another label in each, their numbers
            differ, or a COCO file numbers the classes otherwise than the data set.
    """
    own, classes = tuple(dataset.metainfo.get('classes') or ()), tuple(classes)
    _check_file(dataset, own, key)
    if not own or not classes or own == classes:
        return
    moved = [name for name in own if name in classes]
    moved = [name for name in moved if own.index(name) != classes.index(name)]
    if moved or len(own) != len(classes):
        raise ValueError(
            f'the classes of {key} are {list(own)}, and those of the model '
            f'{list(classes)}: one label would mean two classes. Give the data those '
            f'of the model, in its order: {key}.metainfo=dict(classes=...)'
        )
    pairs = zip(classes, own)
    others = ', '.join(f'{a!r} ({b!r})' for a, b in pairs if a != b)
    say(f'classes of the model that {key} calls otherwise, in brackets: {others}')


def _check_file(dataset: BaseDataset, classes: tuple[str, ...], key: str) -> None:
    if not isinstance(dataset, CocoDataset) or not dataset.ann_file:
        return
    content = load(dataset.ann_file, backend_args=dataset.backend_args)
    names = {category['id']: category['name'] for category in content['categories']}
    order = names_by_label(dataset, names)
    check_order(f'{key} ({dataset.ann_file})', order, classes)
