"""Detections of several models on several sets of images, resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.utils import ProgressBar

from mmmix.analysis.fingerprint import fingerprint
from mmmix.analysis.loaded_detector import LoadedDetector, batches, predict
from mmmix.analysis.results import ResultStore

Image = tuple[np.ndarray, Mapping[str, Any]]


class ImageSet(NamedTuple):
    """Images, and what is kept of the detections on each.

    Attributes:
        count: How many images there are.
        image: Gives an image, ``(H, W, 3)`` uint8 BGR, and its info, by index.
        measure: Makes of the detections on an image, and its index, what is kept;
            JSON types.
    """

    count: int
    image: Callable[[int], Image]
    measure: Callable[[DetDataSample, int], Any]


def sweep(
    detectors: Sequence[LoadedDetector],
    sets: Mapping[str, ImageSet],
    store: ResultStore,
    batch_size: int,
) -> list[dict[str, list[Any]]]:
    """Measure every model on every set, each image made once for all models.

    What a model, told by its contents, has been measured on is left out. A set's
    results are stored when all its images are done.

    Args:
        detectors: The models.
        sets: Sets of images by name.
        store: Keeps the results.
        batch_size: Images at a time.

    Returns:
        For each model, in their order, what was kept of each image by set.
    """
    prints = [fingerprint(detector) for detector in detectors]
    todo = {
        name: {
            f'{mark} on {name}': detector
            for mark, detector in zip(prints, detectors)
            if f'{mark} on {name}' not in store
        }
        for name in sets
    }
    total = sum(sets[name].count * len(models) for name, models in todo.items())
    if total:
        bar = ProgressBar(total)
        for name, models in todo.items():
            if models:
                for key, kept in _measure(models, sets[name], batch_size, bar).items():
                    store[key] = kept
        bar.file.write('\n')  # the bar leaves its line open
    return [{name: store[f'{mark} on {name}'] for name in sets} for mark in prints]


def _measure(
    models: Mapping[str, LoadedDetector],
    images: ImageSet,
    batch_size: int,
    bar: ProgressBar,
) -> dict[str, list[Any]]:
    """What is kept of each image, by the models' keys."""
    kept: dict[str, list[Any]] = {key: [] for key in models}
    for part in batches(images.count, batch_size):
        pixels, infos = zip(*map(images.image, part))
        for key, model in models.items():
            samples = predict(model, pixels, infos, batch_size)
            kept[key] += map(images.measure, samples, part)
            bar.update(len(samples))
    return kept
