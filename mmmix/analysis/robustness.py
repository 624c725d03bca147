"""How much detectors lose on perturbed images."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from mmdet.structures import DetDataSample
from mmengine.dataset import BaseDataset

from mmmix.analysis.evaluation import DetectionScores
from mmmix.analysis.fgsm import predict_attacked
from mmmix.analysis.fingerprint import fingerprint
from mmmix.analysis.loaded_detector import LoadedDetector, batches, predict
from mmmix.analysis.perturbation_list import Perturbation
from mmmix.analysis.perturbed_images import DecodedImages, PerturbedImages
from mmmix.analysis.results import ResultStore

_PAUSE = 10.0


class RobustnessStudy:
    """Models × perturbations; what is in the store is not done again.

    Args:
        detectors: The models; seeds of a method share a name.
        dataset: What they are tested on.
        perturbations: What is done to the images.
        store: Takes the result of each model and perturbation.
        batch_size: Images at a time.
        seed: Seed of all draws.
        fill: Colour of holes, ``'mean'`` or ``'black'``.
        budget: Bytes of decoded images to keep.
        say: Takes lines on the progress.
    """

    def __init__(
        self,
        detectors: Sequence[LoadedDetector],
        dataset: BaseDataset,
        perturbations: Sequence[Perturbation],
        store: ResultStore,
        batch_size: int = 16,
        seed: int = 0,
        fill: str = 'mean',
        budget: float = 4e9,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.images = DecodedImages(detectors[0], dataset, budget)
        self._detectors = list(detectors)
        self._prints = [fingerprint(detector) for detector in detectors]
        self._metainfo = dataset.metainfo
        self._perturbations = list(perturbations)
        self._store = store
        self._batch_size, self._seed, self._fill = batch_size, seed, fill
        self._say = say

    def run(self) -> None:
        """Fill the store; each perturbed image is made once for all models."""
        todo = {p: self._pending(p) for p in self._perturbations}
        progress = _Progress(
            sum(map(len, todo.values())) * len(self.images),
            len(self._perturbations) * len(self._detectors),
            self._say,
        )
        for perturbation, numbers in todo.items():
            if numbers:
                self._run_one(perturbation, numbers, progress)

    def _pending(self, perturbation: Perturbation) -> list[int]:
        return [
            k
            for k in range(len(self._detectors))
            if self._key(perturbation, k) not in self._store
        ]

    def _key(self, perturbation: Perturbation, number: int) -> str:
        return f'{perturbation} {self._prints[number]}'

    def _run_one(
        self, perturbation: Perturbation, numbers: list[int], progress: _Progress
    ) -> None:
        detectors = [self._detectors[k] for k in numbers]
        scores = [DetectionScores(d.cfg, self._metainfo) for d in detectors]
        for part in batches(len(self.images), self._batch_size):
            images, infos = zip(*(self.images[index] for index in part))
            perturbed = PerturbedImages(
                images, infos, perturbation, self._seed, self._fill
            )
            for detector, score in zip(detectors, scores):
                score.add(self._detect(detector, perturbation, perturbed))
                progress.advance(len(part), str(perturbation))
        for k, detector, score in zip(numbers, detectors, scores):
            metrics = score.result()
            spec = detector.spec._asdict()
            record = {**spec, 'perturbation': str(perturbation), 'metrics': metrics}
            self._store[self._key(perturbation, k)] = record
            shown = ', '.join(f'{m} {v:.3f}' for m, v in list(metrics.items())[:3])
            self._say(f'{perturbation} {detector.name}: {shown}')

    def _detect(
        self,
        detector: LoadedDetector,
        perturbation: Perturbation,
        images: PerturbedImages,
    ) -> list[DetDataSample]:
        perturbed, infos = images.for_model(detector), images.infos
        if perturbation.kind != 'fgsm':
            return predict(detector, perturbed, infos, self._batch_size)
        level, size = perturbation.level, self._batch_size
        return predict_attacked(detector, perturbed, infos, level, size, self._seed)

    def records(self) -> list[dict[str, Any]]:
        """The results of this study, perturbation by perturbation."""
        return [
            # Under this command's name: the store may know the model by another.
            {**self._store[self._key(p, k)], **detector.spec._asdict()}
            for p in self._perturbations
            for k, detector in enumerate(self._detectors)
            if self._key(p, k) in self._store
        ]


class _Progress:
    """Says from time to time how far a study is."""

    def __init__(self, total: int, cells: int, say: Callable[[str], None]) -> None:
        self._total, self._done, self._say = total, 0, say
        self._start = self._last = time.monotonic()
        say(f'{cells} results, {total} images to look at for those that are missing')

    def advance(self, count: int, name: str) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._last < _PAUSE and self._done < self._total:
            return
        self._last = now
        left = (now - self._start) / self._done * (self._total - self._done)
        eta = timedelta(seconds=round(left))
        self._say(f'[{self._done}/{self._total}] {name}. ETA: {eta}')
