"""Detecting on images at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.dataset import pseudo_collate

from mmmix.studies.trained.models.loaded_detector import LoadedDetector


def batches(count: int, size: int) -> Iterator[range]:
    """Indices 0 to ``count`` - 1 in batches of at most ``size``."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))


def predict(
    detector: LoadedDetector,
    images: Sequence[np.ndarray],
    infos: Sequence[Mapping[str, Any]],
    batch_size: int = 16,
) -> list[DetDataSample]:
    """Detect on images that are already decoded.

    Args:
        detector: The detector.
        images: Each ``(H, W, 3)``, BGR, values in [0, 255]; they need not be those
            of the files.
        infos: Their entries of the data set, ``dataset.get_data_info(index)``.
        batch_size: Images that the model sees at a time.

    Returns:
        One sample per image on the CPU: ``pred_instances`` with ``bboxes`` in the
        image's own pixels, ``scores`` and ``labels``; where the pipeline loads
        annotations also ``gt_instances`` and ``ignored_instances``.

    Raises:
        ValueError: If there is not one info per image.
    """
    if len(images) != len(infos):
        raise ValueError(f'{len(images)} images came with {len(infos)} infos')
    samples: list[DetDataSample] = []
    for part in batches(len(images), batch_size):
        packed = [detector.pack(images[i], infos[i]) for i in part]
        with torch.no_grad():
            found = detector.model.test_step(pseudo_collate(packed))
        samples += [sample.cpu() for sample in found]
    return samples
