"""Detection calibration error (Küppers et al., CVPR Workshops 2020).

A detector is calibrated if of its detections of score s the share s is right. The
error is the mean distance of the two, over detections put into bins of equal width
by score alone or by score, position and size of the box together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from mmmix.evaluation import judging

DIMENSIONS = ('score', 'cx', 'cy', 'w', 'h')
"""What detections can be binned by: score, and the box's middle, width and height
as shares of the image's."""

Floats = NDArray[np.float64]


class Verdicts(NamedTuple):
    """Detections of one or many images, and whether they are right.

    Attributes:
        values: ``(n, 5)`` in [0, 1], columns as :data:`DIMENSIONS`.
        right: ``(n,)`` bool.
    """

    values: Floats
    right: NDArray[np.bool_]


class Bins(NamedTuple):
    """A reliability diagram; NaN where a bin is empty.

    Attributes:
        edges: ``(bins + 1,)`` from 0 to 1.
        counts: ``(bins,)`` detections.
        score: ``(bins,)`` their mean score.
        precision: ``(bins,)`` the share of them that is right.
    """

    edges: Floats
    counts: NDArray[np.int64]
    score: Floats
    precision: Floats


def find_right(
    detections: InstanceData,
    objects: InstanceData,
    ignored: InstanceData | None,
    iou: float = 0.5,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare the detections of an image with its objects, as VOC's mAP does.

    See :func:`mmmix.evaluation.judging.judge`.

    Args:
        detections: ``bboxes`` (n, 4), ``scores`` and ``labels``, on the CPU.
        objects: ``bboxes`` (m, 4) and ``labels`` in the same pixels.
        ignored: Objects that count neither way (VOC: difficult), or None.
        iou: Least overlap.

    Returns:
        Two masks of shape ``(n,)``: right ones, and those that count, which are not
        of an ignored object.
    """
    judged = judging.judge(
        dict(
            pred_instances=detections, gt_instances=objects, ignored_instances=ignored
        ),
        iou,
    )
    return judged.right > 0, (judged.right > 0) | (judged.wrong > 0)


def find_verdicts(
    detections: InstanceData,
    objects: InstanceData,
    ignored: InstanceData | None,
    shape: tuple[int, int],
    iou: float = 0.5,
) -> Verdicts:
    """The detections of an image that count, see :func:`find_right`.

    Args:
        detections: As there.
        objects: As there.
        ignored: As there.
        shape: Height and width of the image.
        iou: As there.
    """
    right, counted = find_right(detections, objects, ignored, iou)
    boxes, scores = detections.bboxes.numpy(), detections.scores.numpy()
    values = np.column_stack([scores, _relative(boxes, *shape)])
    return Verdicts(values[counted].astype(np.float64), right[counted])


def _relative(boxes: NDArray, height: int, width: int) -> Floats:
    """Middle and size of boxes as shares of the image's, ``(n, 4)``."""
    x1, y1, x2, y2 = boxes.astype(np.float64).reshape(-1, 4).T
    columns = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height]
    columns += [(x2 - x1) / width, (y2 - y1) / height]
    return np.stack(columns, axis=1).clip(0, 1)


def gather(verdicts: Sequence[Verdicts]) -> Verdicts:
    """Join the verdicts of many images."""
    empty = Verdicts(np.zeros((0, 5)), np.zeros(0, bool))
    return Verdicts(*map(np.concatenate, zip(empty, *verdicts)))


def detection_calibration_error(
    verdicts: Verdicts,
    bins: int = 20,
    dimensions: Sequence[str] = ('score',),
    min_count: int = 1,
) -> float:
    """D-ECE: over bins, Σ share of the detections × ``|mean score - precision|``.

    Args:
        verdicts: Detections.
        bins: Bins of equal width on [0, 1], of each dimension.
        dimensions: One or several of :data:`DIMENSIONS`.
        min_count: Bins with fewer detections are left out, of the sum and of the
            number of detections; of use with several dimensions.

    Returns:
        In [0, 1], lower is better; NaN if no bin has enough detections.

    Raises:
        ValueError: If there is no bin, or a dimension is unknown.
    """
    unknown = [name for name in dimensions if name not in DIMENSIONS]
    if bins < 1 or unknown or not dimensions:
        raise ValueError(
            f'expected at least one bin and dimensions among {DIMENSIONS}, got '
            f'{bins} bins and {list(dimensions)}'
        )
    columns = [DIMENSIONS.index(name) for name in dimensions]
    index = _bin_index(verdicts.values[:, columns], bins)
    _, cell = np.unique(index, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    counts = np.bincount(cell)
    gaps = np.bincount(cell, weights=verdicts.values[:, 0] - verdicts.right)
    enough = counts >= min_count
    total = counts[enough].sum()
    return float(np.abs(gaps[enough]).sum() / total) if total else float('nan')


def reliability(verdicts: Verdicts, bins: int = 20) -> Bins:
    """Mean score and precision of detections in bins of their score."""
    cell = _bin_index(verdicts.values[:, 0], bins)
    counts = np.bincount(cell, minlength=bins)
    sums = [
        np.bincount(cell, weights=values, minlength=bins)
        for values in (verdicts.values[:, 0], verdicts.right.astype(np.float64))
    ]
    with np.errstate(invalid='ignore'):
        score, precision = (values / counts for values in sums)
    return Bins(np.linspace(0, 1, bins + 1), counts, score, precision)


def _bin_index(values: Floats, bins: int) -> NDArray[np.int64]:
    """Bin of each value; 1 belongs to the last."""
    return np.minimum((values * bins).astype(np.int64), bins - 1)
