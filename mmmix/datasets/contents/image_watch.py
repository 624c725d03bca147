"""Watch data sets of whole images, as classifiers have, while they are loaded."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmdet.datasets import BaseDetDataset
from mmengine.dataset import BaseDataset

from mmmix.layouts.left_out import left_out

from .replaced_methods import replaced_methods

LABEL = 'gt_label'
"""Key of an image's own label, or labels."""
SHOWN = 5


@dataclass
class ImageNotes:
    """What passed while a data set of whole images was loaded.

    Attributes:
        counts: How often each label occurs in the images that are kept.
        first: By label, place and path of the first images with it; places number the
            labels of all images in turn.
        left_out: How many images were left out for their endings, by these.
    """

    counts: Counter = field(default_factory=Counter)
    first: dict[Any, list[tuple[int, str]]] = field(default_factory=dict)
    left_out: Counter = field(default_factory=Counter)

    def take(self, infos: Iterable[Mapping[str, Any]]) -> None:
        """Note the labels of all images."""
        counts, place = self.counts, 0
        for info in infos:
            for label in own_labels(info):
                counts[label] += 1
                if counts[label] <= SHOWN:
                    image = place, str(info.get('img_path'))
                    self.first.setdefault(label, []).append(image)
                place += 1


def own_labels(info: Mapping[str, Any]) -> list[int]:
    """The labels of an image itself; none of one that has a label for each task."""
    label = info.get(LABEL)
    if isinstance(label, int):
        return [label]
    if label is None or isinstance(label, Mapping):
        return []
    return np.atleast_1d(label).tolist()


@contextmanager
def watched_images() -> Iterator[dict[int, ImageNotes]]:
    """Note what is in all data sets of classifiers that are loaded in a ``with`` block.

    They are loaded as they are without it. mmengine keeps what was loaded in pickles,
    an image each: to read a million labels afterwards takes longer by far than here.

    Yields:
        The notes by the ``id`` of the data set; filled while data sets are loaded.
    """
    stock = BaseDataset.full_init
    seen: dict[int, ImageNotes] = {}

    @functools.wraps(stock)
    def full_init(dataset: BaseDataset) -> None:
        if dataset._fully_initialized or isinstance(dataset, BaseDetDataset):
            stock(dataset)
            return
        notes = ImageNotes()
        with replaced_methods(dataset, _noting(notes, dataset)):
            stock(dataset)
        if not dataset.serialize_data:
            notes.take(dataset.data_list)
        seen[id(dataset)] = notes

    with replaced_methods(BaseDataset, {'full_init': full_init}):
        yield seen


def _noting(notes: ImageNotes, dataset: BaseDataset) -> dict[str, Callable]:
    """Methods for a data set to load by, which note what passes."""

    def serialize() -> Any:
        # What filters and indices have left.
        notes.take(dataset.data_list)
        return type(dataset)._serialize_data(dataset)

    def is_valid_file(name: str) -> bool:
        valid = type(dataset).is_valid_file(dataset, name)
        if not valid:
            notes.left_out.update(left_out([name], ()))
        return valid

    methods: dict[str, Callable] = {'_serialize_data': serialize}
    if hasattr(dataset, 'is_valid_file'):  # mmpretrain's CustomDataset asks it
        methods['is_valid_file'] = is_valid_file
    return methods
