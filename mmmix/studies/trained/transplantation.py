"""Detectors on images with a transplanted patch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmix.datasets.transforms import TransplantPatch
from mmmix.studies.digests import blocks, digest
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.truth import objects_of
from mmmix.studies.trained.models.detection_scores import Scores, voc_metric
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.prediction import predict
from mmmix.studies.trained.sweep import Image, Measurement

METRICS = ('patches detected', 'patch precision', 'patch recall', 'mAP')

_NAMES = dict(zip(('detected', 'precision', 'recall', 'mAP'), METRICS))


class PatchedCopy:
    """One copy of a data set's images, a patch on each.

    Args:
        images: The images.
        transform: Pastes the patches.
    """

    def __init__(self, images: DecodedImages, transform: TransplantPatch) -> None:
        self._images, self._transform = images, transform

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Image:
        """``(H, W, 3)`` uint8 BGR, and its info with the patch as an object."""
        image, info = self._images[index]
        patched = self._transform({**info, 'img': image})
        return patched.pop('img'), patched


class PatchedSet:
    """A copy on which the patches that models detect are counted.

    Args:
        copy: The copy.
        metric: Settings of ``PatchMetric``.
    """

    def __init__(self, copy: PatchedCopy, metric: Mapping[str, Any]) -> None:
        self._copy, self._metric = copy, {'type': 'PatchMetric', **metric}

    def __len__(self) -> int:
        return len(self._copy)

    def load(self, part: range) -> list[Image]:
        """The patched images of a batch, with their infos."""
        return [self._copy[index] for index in part]

    def measure(self, detector: LoadedDetector) -> Measurement:
        """Begin to judge a model's detections."""
        return _Patches(detector, self._metric)


class _Patches:
    """``PatchMetric`` of one model on one copy."""

    def __init__(self, detector: LoadedDetector, metric: dict[str, Any]) -> None:
        self._detector = detector
        self._scores = Scores(metric, {'classes': detector.classes})

    def add(self, images: Sequence[Image], part: range) -> None:
        pixels, infos = zip(*images)
        samples = predict(self._detector, pixels, infos, len(part))
        for sample, info in zip(samples, infos):
            # Of the data set, whatever the pipeline makes of it.
            sample.gt_instances, sample.ignored_instances = objects_of(info)
            sample.set_metainfo({'patch': info['patch']})
        self._scores.add(samples)

    def result(self) -> dict[str, float]:
        return {
            name.removeprefix('patch/'): value
            for name, value in self._scores.result().items()
        }


def averaged(copies: Sequence[Mapping[str, float]], iou: float) -> dict[str, Any]:
    """The numbers of a model at an IoU: patches detected summed, others averaged.

    Args:
        copies: Numbers of ``PatchMetric`` on each copy.
        iou: One of its thresholds.

    Returns:
        The values by :data:`METRICS`; a precision that no copy has is None.
    """
    row: dict[str, Any] = {}
    for name, title in _NAMES.items():
        # Without any detection of a patch there is no precision: -1.
        values = [copy[f'{name}_{iou:g}'] for copy in copies]
        values = [value for value in values if value != -1]
        total = math.fsum(values)
        if name == 'detected':
            row[title] = total
        else:
            row[title] = total / len(values) if values else None
    return row


def voc_mode(cfg: Config) -> str:
    """How a config's ``VOCMetric`` averages precision; ``'area'`` without one."""
    metric = voc_metric(cfg)
    return 'area' if metric is None else metric.get('eval_mode', '11points')


def patches_digest(transform: TransplantPatch) -> str:
    """A digest of the patches' names and content."""

    def chunks() -> Iterator[bytes]:
        for path in chain.from_iterable(transform.patches.values()):
            name = Path(path).relative_to(transform.folder).as_posix()
            yield f'{name} {path.stat().st_size} '.encode()
            yield from blocks(path)

    return digest(chunks())
