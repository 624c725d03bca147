"""Telling images of a data set from images of nothing by one score per image.

The score of an image is its highest detection score; an image counts as inside
the data set if its score reaches a threshold (the baseline of Hendrycks and
Gimpel, ICLR 2017, carried from classifiers to detectors; CutMix suppl. E.2).
"Positive" is inside. All numbers are in [0, 1], and higher is better.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]


def tnr_at_tpr(inside: ArrayLike, outside: ArrayLike, tpr: float = 0.95) -> float:
    """Share of outside images refused where at least ``tpr`` of inside ones pass.

    The threshold is the highest score of an inside image that this allows.

    Args:
        inside: Scores of images of the data set, at least one.
        outside: Scores of other images, at least one.
        tpr: True positive rate in (0, 1].

    Raises:
        ValueError: If there is no score, or ``tpr`` or a score makes no sense.
    """
    inside, outside = _scores(inside, 'inside'), _scores(outside, 'outside')
    if not 0 < tpr <= 1:
        raise ValueError(f'tpr must lie in (0, 1], got {tpr}')
    # The small term keeps 0.95 * 20 from becoming 20 images by rounding.
    passing = math.ceil(tpr * len(inside) - 1e-9)
    threshold = inside[len(inside) - passing]
    return float(np.mean(outside < threshold))


def auroc(inside: ArrayLike, outside: ArrayLike) -> float:
    """Area under the ROC curve: how often an inside image scores higher.

    A tie counts as half. Arguments and errors as :func:`tnr_at_tpr`.
    """
    inside, outside = _scores(inside, 'inside'), _scores(outside, 'outside')
    below = np.searchsorted(outside, inside, side='left')
    not_above = np.searchsorted(outside, inside, side='right')
    return float(np.mean((below + not_above) / (2 * len(outside))))


def detection_accuracy(inside: ArrayLike, outside: ArrayLike) -> float:
    """Mean of true positive and true negative rate at the best threshold.

    Both kinds of images weigh the same, however many there are of each, so the
    number is at least ½. Arguments and errors as :func:`tnr_at_tpr`.
    """
    inside, outside = _scores(inside, 'inside'), _scores(outside, 'outside')
    thresholds = np.append(np.unique(np.concatenate([inside, outside])), np.inf)
    true_positive = 1 - np.searchsorted(inside, thresholds) / len(inside)
    true_negative = np.searchsorted(outside, thresholds) / len(outside)
    return float(np.max(true_positive + true_negative) / 2)


def _scores(values: ArrayLike, name: str) -> Scores:
    """Sorted scores, checked."""
    scores = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError(
            f'expected one finite score per image, of one image at least, got {name} '
            f'scores {scores[:5]}'
        )
    return scores
