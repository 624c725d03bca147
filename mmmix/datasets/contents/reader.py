"""Look over mmdet's shoulder while it loads a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mmcv.transforms import LoadAnnotations
from mmdet.datasets import BaseDetDataset
from mmdet.datasets.transforms import LoadEmptyAnnotations

from mmmix.layouts.first_few import first_few

from .boxes import box_fault
from .contents import Contents

_REPEATED = (
    'is there before, with the same class and corners; delete one of the two, since a '
    'detection finds one object'
)
NO_CHECK = 'To load the data as it is: --no-check'


class Reader:
    """Notes what any data set of mmdet holds, from the list that it loads.

    While the data set loads, methods of this one object are replaced by those of
    the reader, which call them and look at what passes. Nothing is read twice, and
    what is loaded stays as it is.

    Args:
        dataset: A data set that is not loaded yet.
        max_boxes: More boxes in an image are a fault.
    """

    def __init__(self, dataset: BaseDetDataset, max_boxes: int) -> None:
        self.dataset, self.max_boxes = dataset, max_boxes
        self.contents = Contents(
            source=str(dataset.ann_file),
            labelled=reads_labels(dataset),
            training=not dataset.test_mode,
        )

    def replacements(self) -> dict[str, Callable]:
        """The methods to replace, by name."""
        return {'load_data_list': self.load_data_list, 'filter_data': self.filter_data}

    def stock(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the data set's class."""
        return getattr(type(self.dataset), method)(self.dataset, *args, **options)

    def load_data_list(self) -> list[dict]:
        """As the data set does, and note what was loaded.

        Raises:
            ValueError: If a fault must be mended; names files, objects and fixes.
        """
        self.check_classes()
        try:
            data_list = self.stock('load_data_list')
        except UnicodeDecodeError as error:
            raise ValueError(
                f'{self.contents.source} is no UTF-8 text ({error.reason} at byte '
                f'{error.start}); save it as UTF-8'
            ) from error
        count = len(self.dataset.metainfo.get('classes') or ())
        for info in data_list:
            self._look_at(info, count)
        self._look_for_repeats(data_list)
        self.note_names(data_list)
        self.raise_errors()
        return data_list

    def filter_data(self) -> list[dict]:
        """As the data set does.

        Raises:
            ValueError: If no image is left.
        """
        total = len(self.dataset.data_list)
        kept = self.stock('filter_data')
        if not kept:
            raise ValueError(self._why_empty(total))
        return kept

    def check_classes(self) -> None:
        """Refuse names that are no list of different texts.

        Raises:
            ValueError: If ``metainfo.classes`` is a text, or names a class twice.
        """
        classes = self.dataset.metainfo.get('classes')
        if isinstance(classes, str):
            raise ValueError(
                f'metainfo.classes is the text {classes!r}, whose letters would be '
                f'the classes; write classes=({classes!r},), with the comma'
            )
        twice = [name for name, count in Counter(classes or ()).items() if count > 1]
        if twice:
            raise ValueError(f'metainfo.classes has {twice} more than once')

    def note_names(self, data_list: list[dict]) -> None:
        """Count the classes of the objects; those that were dropped are unknown."""
        classes = self.dataset.metainfo.get('classes') or ()
        labels = Counter(
            _label(instance) for info in data_list for instance in _instances(info)
        )
        self.contents.names.update(
            {
                classes[label]: count
                for label, count in labels.items()
                if label is not None and 0 <= label < len(classes)
            }
        )

    def place(self, info: Mapping) -> str:
        """Where an image is annotated."""
        return f'{self.contents.source}: image {info.get("img_id")!r}'

    def object_name(self, info: Mapping, number: int) -> str:
        """What the annotation calls the object of a box, counted from 0."""
        return f'box {number + 1}'

    def raise_errors(self) -> None:
        """Say all errors at once.

        Raises:
            ValueError: If there is any.
        """
        errors = self.contents.errors
        if errors.count:
            raise ValueError(
                f'{errors.count} fault{"s" * (errors.count > 1)} in the annotations of '
                f'{self.contents.source}:\n{errors}\n{NO_CHECK}'
            )

    def _look_at(self, info: Mapping, count: int) -> None:
        """Note what is wrong with the boxes of an image, and of ``count`` classes."""
        contents = self.contents
        instances = _instances(info)
        if len(instances) > self.max_boxes:
            contents.errors.add(
                f'{self.place(info)}: {len(instances)} boxes, and the limit is '
                f'{self.max_boxes}; is this one image? Raise '
                'data_checks=dict(max_boxes=...) if it is'
            )
        if not contents.labelled:
            return
        faults = contents.errors if contents.training else contents.warnings
        size = info.get('width'), info.get('height')
        seen = set()
        for number, instance in enumerate(instances):
            box = instance.get('bbox')
            fault = None if box is None else box_fault(box, *size)
            fault = fault or _label_fault(instance, count)
            if fault:
                faults.add(partial(self._say, info, number, fault))
            if fault or box is None:
                continue
            key = _label(instance), instance.get('ignore_flag'), *box
            if key in seen:
                contents.warnings.add(partial(self._say, info, number, _REPEATED))
            seen.add(key)

    def _say(self, info: Mapping, number: int, fault: str) -> str:
        """A fault of a box with its place."""
        return f'{self.place(info)}: {self.object_name(info, number)} {fault}'

    def _look_for_repeats(self, data_list: list[dict]) -> None:
        """An image may stand in a training list twice; metrics would count it twice."""
        counts = Counter(
            info.get('img_id', index) for index, info in enumerate(data_list)
        )
        if len(counts) == len(data_list):
            return
        twice = [repr(name) for name, count in counts.items() if count > 1]
        contents = self.contents
        faults = contents.warnings if contents.training else contents.errors
        faults.add(
            f'{contents.source}: {len(twice)} images stand in it more than once: '
            f'{first_few(twice, 3)}; delete the repeats'
        )

    def _why_empty(self, total: int) -> str:
        """Why no image is left."""
        source = self.contents.source
        if not total:
            return f'{source} names no image; is it the right file?'
        classes = self.dataset.metainfo.get('classes')
        found = ', '.join(
            f'{n!r} ({c})' for n, c in self.contents.names.most_common(20)
        )
        return (
            f'{source}: filter_cfg={self.dataset.filter_cfg} leaves none of {total} '
            f'images. The classes are {classes}; what occurs in the annotations: '
            f'{found or "no object"}. Correct metainfo.classes or filter_cfg'
        )


def reads_labels(dataset: Any) -> bool:
    """Whether the pipeline of a data set reads its labels."""
    if not getattr(dataset, 'labelled', True):
        return False
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    loads = any(isinstance(step, LoadAnnotations) for step in steps)
    return loads or not any(isinstance(step, LoadEmptyAnnotations) for step in steps)


def _instances(info: Mapping) -> list[Mapping]:
    """The objects of an image, where they are in mmdet's form."""
    instances = info.get('instances') or []
    return [item for item in instances if isinstance(item, Mapping)]


def _label(instance: Mapping) -> int | None:
    """The label of an object, of whatever type of number; None if it is none."""
    try:
        return int(instance.get('bbox_label'))
    except (TypeError, ValueError, OverflowError):
        return None


def _label_fault(instance: Mapping, count: int) -> str | None:
    """What is wrong with the label of an object, where there are ``count`` classes.

    One that is ``count`` would be background. Those of boxes to ignore may be -1.
    """
    label = _label(instance)
    if not count or label is None or 0 <= label < count or instance.get('ignore_flag'):
        return None
    return (
        f'has the label {label}, and labels go from 0 to {count - 1}; correct it, or '
        'metainfo=dict(classes=...)'
    )
