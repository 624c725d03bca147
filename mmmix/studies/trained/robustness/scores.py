"""How much detectors lose on perturbed images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.prediction import predict
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.robustness.fgsm import predict_attacked
from mmmix.studies.trained.robustness.perturbations import Perturbation
from mmmix.studies.trained.robustness.perturbed_images import PerturbedImages
from mmmix.studies.trained.sweep import Measurement, sweep


class PerturbedSet:
    """The images of a data set, perturbed in one way.

    Args:
        images: The images.
        metainfo: Of the data set, with ``classes``.
        perturbation: What is done to them.
        seed: Seed of all draws.
        fill: Colour of holes, ``'mean'`` or ``'black'``.
    """

    def __init__(
        self,
        images: DecodedImages,
        metainfo: Mapping[str, Any],
        perturbation: Perturbation,
        seed: int = 0,
        fill: str = 'mean',
    ) -> None:
        self._images, self._metainfo = images, metainfo
        self._perturbation, self._seed, self._fill = perturbation, seed, fill

    def __len__(self) -> int:
        return len(self._images)

    def load(self, part: range) -> PerturbedImages:
        """Perturb the images of a batch."""
        images, infos = zip(*(self._images[index] for index in part))
        return PerturbedImages(
            images, infos, self._perturbation, self._seed, self._fill
        )

    def measure(self, detector: LoadedDetector) -> Measurement:
        """Begin to score a model."""
        return _Scores(detector, self._metainfo, self._perturbation, self._seed)


class _Scores:
    """The scores of one model under one perturbation."""

    def __init__(
        self,
        detector: LoadedDetector,
        metainfo: Mapping[str, Any],
        perturbation: Perturbation,
        seed: int,
    ) -> None:
        self._detector, self._perturbation, self._seed = detector, perturbation, seed
        self._scores = detector.scores(metainfo)

    def add(self, images: PerturbedImages, part: range) -> None:
        detector, level = self._detector, self._perturbation.level
        seen = images.for_model(detector), images.infos
        if self._perturbation.kind == 'fgsm':
            samples = predict_attacked(detector, *seen, level, self._seed)
        else:
            samples = predict(detector, *seen, len(part))
        self._scores.add(samples)

    def result(self) -> dict[str, float]:
        return self._scores.result()


def score_perturbed(
    detectors: Sequence[LoadedDetector],
    sets: Mapping[Perturbation, PerturbedSet],
    store: ResultStore,
    batch_size: int,
) -> list[dict[str, Any]]:
    """Score every model under every perturbation; what is stored is not done again.

    Args:
        detectors: The models; seeds of a method share a name.
        sets: The images, by perturbation.
        store: Keeps the scores.
        batch_size: Images at a time.

    Returns:
        Perturbation by perturbation, a record of each model: ``name``, ``config``
        and ``checkpoint``, ``perturbation``, and ``metrics`` by name.
    """
    stored = {kind.stored_as: images for kind, images in sets.items()}
    scores = sweep(detectors, stored, store, batch_size)
    return [
        {
            **detector.spec._asdict(),
            'perturbation': str(kind),
            'metrics': of_model[kind.stored_as],
        }
        for kind in sets
        for detector, of_model in zip(detectors, scores)
    ]
