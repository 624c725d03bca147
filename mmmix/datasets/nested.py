"""What is inside of a data set: those that it wraps, their pipelines, their steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mmcv.transforms
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

_SEQUENCES = (Compose, mmcv.transforms.Compose)
_TRANSFORMS = (BaseTransform, *_SEQUENCES)


def nested_datasets(dataset: Any) -> Iterator[Any]:
    """A built data set, and all that it wraps or joins."""
    if dataset is None:
        return
    yield dataset
    yield from nested_datasets(getattr(dataset, 'dataset', None))
    parts = getattr(dataset, 'datasets', None)
    for part in parts if isinstance(parts, (list, tuple)) else ():
        yield from nested_datasets(part)


def pipelines(dataset: Any) -> Iterator[list[Any]]:
    """The steps of each pipeline in a built data set, see :func:`nested_steps`."""
    for one in nested_datasets(dataset):
        pipeline = getattr(one, 'pipeline', None)
        # Whatever class of sequence it is.
        yield list(nested_steps(getattr(pipeline, 'transforms', pipeline)))


def nested_steps(node: Any) -> Iterator[Any]:
    """A transform and all within it, wherever it keeps them."""
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from nested_steps(part)
    elif isinstance(node, dict):
        yield from nested_steps(list(node.values()))
    elif isinstance(node, _SEQUENCES):
        for step in node.transforms:  # any function may be one
            yield from nested_steps(step) if isinstance(step, _TRANSFORMS) else [step]
    elif isinstance(node, BaseTransform):
        yield node
        yield from nested_steps(list(vars(node).values()))
