"""How long to train, at which learning rate, and when to look."""

from __future__ import annotations

import math
from typing import NamedTuple

from .detectors import Recipe

_IMAGES = 1100
"""Times the root of the number of images: how many are shown in all. That is 25,000 for
500 images and 140,000 for the 16,551 of VOC07+12, where mmdet shows 199,000."""

FEWEST_EPOCHS, MOST_EPOCHS = 8, 200
LOOKS = 20
"""Validations in a training."""
WARM_UP = 500
"""Iterations at most; a tenth of a short training."""


class Plan(NamedTuple):
    """A schedule.

    Attributes:
        batch: Images of a batch.
        epochs: Passes over the data.
        iterations: Of one pass.
        interval: Passes between validations.
        lr: For this batch.
        warm_up: Iterations.
        milestones: Epochs after which the learning rate is a tenth.
    """

    batch: int
    epochs: int
    iterations: int
    interval: int
    lr: float
    warm_up: int
    milestones: tuple[int, int]


def make_plan(
    detector: Recipe, images: int, batch: int | None = None, epochs: int | None = None
) -> Plan:
    """Plan a training that starts from COCO's weights.

    Args:
        detector: What is trained.
        images: To train on, at least 1.
        batch: Images of a batch; None for the detector's.
        epochs: Passes; None for as many as so many images take.
    """
    batch = min(batch or detector.batch, images)
    if epochs is None:
        wanted = round(_IMAGES / math.sqrt(images))
        epochs = min(max(wanted, FEWEST_EPOCHS), MOST_EPOCHS)
    iterations = images // batch
    first = max(1, round(epochs * 2 / 3))
    second = max(first + 1, round(epochs * 11 / 12))
    return Plan(
        batch=batch,
        epochs=epochs,
        iterations=iterations,
        interval=max(1, epochs // LOOKS),
        lr=float(f'{detector.lr * batch / detector.lr_batch:.3g}'),
        # LinearLR over one iteration would stay at its start for the whole training
        warm_up=max(2, min(WARM_UP, epochs * iterations // 10)),
        milestones=(first, second),
    )
