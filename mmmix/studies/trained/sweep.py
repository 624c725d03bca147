"""Several models on several sets of images, resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.utils import ProgressBar

from mmmix.studies.trained.models.fingerprint import fingerprint
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.prediction import batches, predict
from mmmix.studies.trained.results.store import ResultStore

Image = tuple[np.ndarray, Mapping[str, Any]]


class Measurement(Protocol):
    """What is measured of one model on one set of images."""

    def add(self, images: Any, part: range) -> None:
        """Test the model on a batch: what ``load`` gave, and its indices."""

    def result(self) -> Any:
        """The outcome, JSON types; asked for after the last batch."""


class ImageSet(Protocol):
    """Images that models are measured on."""

    def __len__(self) -> int:
        """How many images there are."""

    def load(self, part: range) -> Any:
        """Make the images of a batch, once for all models."""

    def measure(self, detector: LoadedDetector) -> Measurement:
        """Begin to measure a model."""


def sweep(
    detectors: Sequence[LoadedDetector],
    sets: Mapping[str, ImageSet],
    store: ResultStore,
    batch_size: int,
    apart: bool = False,
) -> list[dict[str, Any]]:
    """Measure every model on every set, each image made once for all models.

    What a model, told by its contents, has been measured on is left out. A set's
    results are stored when all its images are done.

    Args:
        detectors: The models.
        sets: Sets of images by name.
        store: Keeps the results.
        batch_size: Images at a time.
        apart: Whether one model after the other goes through a set, its result stored
            before the next one's turn; each asks for the images anew. For few sets of
            images that cost little: an interruption then loses one model at most.

    Returns:
        For each model, in their order, its result by set.
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
    total = sum(len(sets[name]) * len(models) for name, models in todo.items())
    if total:
        bar = ProgressBar(total)
        for name, models in todo.items():
            for turn in _turns(models, apart):
                for key, found in _measure(turn, sets[name], batch_size, bar).items():
                    store[key] = found
        bar.file.write('\n')  # the bar leaves its line open
    return [{name: store[f'{mark} on {name}'] for name in sets} for mark in prints]


def _turns(
    models: Mapping[str, LoadedDetector], apart: bool
) -> list[Mapping[str, LoadedDetector]]:
    """The models that go through a set together."""
    if apart:
        return [{key: model} for key, model in models.items()]
    return [models] if models else []


def _measure(
    models: Mapping[str, LoadedDetector],
    images: ImageSet,
    batch_size: int,
    bar: ProgressBar,
) -> dict[str, Any]:
    """The results on a set, by the models' keys."""
    measurements = {key: images.measure(model) for key, model in models.items()}
    for part in batches(len(images), batch_size):
        loaded = images.load(part)
        for measurement in measurements.values():
            measurement.add(loaded, part)
            bar.update(len(part))
    return {key: measurement.result() for key, measurement in measurements.items()}


@dataclass(frozen=True)
class EachImage:
    """A set of which something is kept of the detections on each image.

    Attributes:
        count: How many images there are.
        image: Gives an image, ``(H, W, 3)`` uint8 BGR, and its info, by index.
        keep: Makes of the detections on an image, and its index, what is kept;
            JSON types.
    """

    count: int
    image: Callable[[int], Image]
    keep: Callable[[DetDataSample, int], Any]

    def __len__(self) -> int:
        return self.count

    def load(self, part: range) -> list[Image]:
        """The images of a batch, with their infos."""
        return [self.image(index) for index in part]

    def measure(self, detector: LoadedDetector) -> Measurement:
        """Begin to collect what is kept."""
        return _Kept(detector, self.keep)


class _Kept:
    """What is kept of each image, for one model."""

    def __init__(
        self, detector: LoadedDetector, keep: Callable[[DetDataSample, int], Any]
    ) -> None:
        self._detector, self._keep = detector, keep
        self._kept: list[Any] = []

    def add(self, images: Sequence[Image], part: range) -> None:
        samples = predict(self._detector, *zip(*images), len(part))
        self._kept += map(self._keep, samples, part)

    def result(self) -> list[Any]:
        return self._kept
