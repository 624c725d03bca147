"""Data sets in COCO format: one JSON file for all images."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from .coco_faults import (
    entry_fault,
    note_annotations,
    note_categories,
    note_images,
    outline_fault,
)
from .reader import Reader


class CocoReader(Reader):
    """Notes what mmdet's ``CocoDataset`` finds and what it drops."""

    def replacements(self) -> dict[str, Callable]:
        """Also what opens the file."""
        return {**super().replacements(), 'COCOAPI': self.open}

    def open(self, path: str) -> Any:
        """Open the file as the data set does, and look at what it holds.

        Raises:
            ValueError: If a fault must be mended.
        """
        source = self.contents.source
        try:
            coco = type(self.dataset).COCOAPI(path)
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            raise ValueError(f'{source}: {_why(path, error)}') from error
        except RecursionError as error:
            raise ValueError(f'{source} is nested too deep; is it COCO?') from error
        content = coco.dataset
        fault = outline_fault(content)
        if fault:
            raise ValueError(f'{source}: {fault}')
        self._look_into(content)
        self.raise_errors()
        return coco

    def _look_into(self, content: dict) -> None:
        """Note images, categories and annotations."""
        contents = self.contents
        images = note_images(content['images'], contents)
        categories = note_categories(content['categories'], contents)
        if contents.errors.count:
            return
        classes = self.dataset.metainfo.get('classes') or categories.values()
        self._categories = categories
        annotations = content.get('annotations', [])
        counts = Counter(ann.get('category_id') for ann in annotations)
        contents.names.update(
            {name: counts[id_] for id_, name in categories.items() if counts[id_]}
        )
        read = {id_ for id_, name in categories.items() if name in classes}
        note_annotations(annotations, images, categories, read, contents)

    def note_names(self, data_list: list[dict]) -> None:
        """Names were counted in the file; note which label each of them got."""
        self.contents.categories = names_by_label(self.dataset, self._categories)


def names_by_label(dataset: Any, categories: Mapping[Any, str]) -> tuple[str, ...]:
    """The names of a file in the order of their labels, those that are not read last.

    Most data sets number them in the order of the file, some by their ids.

    Args:
        dataset: The data set, loaded.
        categories: Names by id, in the order of the file.
    """
    labels = getattr(dataset, 'cat2label', {})
    order = sorted(categories, key=lambda id_: labels.get(id_, len(labels)))
    return tuple(categories[id_] for id_ in order)


def _why(path: str, error: Exception) -> str:
    """Why a file cannot be opened."""
    if isinstance(error, json.JSONDecodeError) and 'BOM' in str(error):
        return 'it starts with a byte-order mark; save it as UTF-8 without one'
    if isinstance(error, json.JSONDecodeError):
        return f'it is not whole JSON: {error}; export it again'
    if isinstance(error, UnicodeDecodeError):
        return f'it is no UTF-8 text ({error.reason} at byte {error.start}); save it so'
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        fault = outline_fault(content) or entry_fault(content)
    except (OSError, ValueError):
        fault = None
    return fault or f'it is not in COCO format ({type(error).__name__}: {error})'
