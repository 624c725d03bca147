"""Detectors on images with a transplanted patch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.utils import ProgressBar

from mmmix.analysis.evaluation import voc_metric
from mmmix.analysis.fingerprint import fingerprint
from mmmix.analysis.loaded_detector import LoadedDetector, batches, predict
from mmmix.analysis.perturbed_images import DecodedImages
from mmmix.analysis.results import ResultStore
from mmmix.analysis.sweep import Image
from mmmix.analysis.truth import objects_of
from mmmix.datasets.transforms import TransplantPatch

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


def transplant(
    detectors: Sequence[LoadedDetector],
    copies: Sequence[PatchedCopy],
    metric: Mapping[str, Any],
    store: ResultStore,
    batch_size: int,
) -> list[list[dict[str, float]]]:
    """Test every model on every copy, each image made once for all models.

    A copy's results are stored when all its images are done.

    Args:
        detectors: The models.
        copies: Copies of the data set.
        metric: Settings of ``PatchMetric``.
        store: Keeps the results; what it has is left out.
        batch_size: Images at a time.

    Returns:
        For each model, in their order, the numbers of ``PatchMetric`` on each copy.
    """
    prints = [fingerprint(detector) for detector in detectors]
    todo = [
        {
            key: detector
            for key, detector in zip(_keys(prints, number), detectors)
            if key not in store
        }
        for number in range(len(copies))
    ]
    total = sum(len(copy) * len(models) for copy, models in zip(copies, todo))
    if total:
        bar = ProgressBar(total)
        for copy, models in zip(copies, todo):
            for key, scores in _test(models, copy, metric, batch_size, bar).items():
                store[key] = scores
        bar.file.write('\n')  # the bar leaves its line open
    columns = [_keys(prints, number) for number in range(len(copies))]
    return [[store[key] for key in keys] for keys in zip(*columns)]


def _keys(prints: Sequence[str], number: int) -> list[str]:
    return [f'{mark} on copy {number}' for mark in prints]


def _test(
    models: Mapping[str, LoadedDetector],
    copy: PatchedCopy,
    metric: Mapping[str, Any],
    batch_size: int,
    bar: ProgressBar,
) -> dict[str, dict[str, float]]:
    """The numbers of each model on a copy, by the models' keys."""
    evaluators = {key: Evaluator({'type': 'PatchMetric', **metric}) for key in models}
    for part in batches(len(copy) if models else 0, batch_size):
        pixels, infos = zip(*(copy[index] for index in part))
        for key, model in models.items():
            samples = predict(model, pixels, infos, batch_size)
            for sample, info in zip(samples, infos):
                add_truth(sample, info)
            evaluators[key].dataset_meta = {'classes': model.classes}
            evaluators[key].process(data_samples=samples, data_batch=None)
            bar.update(len(samples))
    return {
        key: {
            name.removeprefix('patch/'): value
            for name, value in evaluator.evaluate(len(copy)).items()
        }
        for key, evaluator in evaluators.items()
    }


def add_truth(sample: DetDataSample, info: Mapping[str, Any]) -> None:
    """Give a sample its objects, whatever the pipeline makes of them, and its patch."""
    sample.gt_instances, sample.ignored_instances = objects_of(info)
    sample.set_metainfo({'patch': info['patch']})


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
    digest = hashlib.sha256()
    for paths in transform.patches.values():
        for path in paths:
            name = Path(path).relative_to(transform.folder).as_posix()
            digest.update(f'{name} {path.stat().st_size} '.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
