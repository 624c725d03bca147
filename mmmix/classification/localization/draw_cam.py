"""Pictures of class activation maps with their boxes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .cam_boxes import SIGMA, largest_box, stretched

GREEN, RED = (0, 200, 0), (0, 0, 230)
"""BGR colours of annotated boxes and of the box of the map."""

_SHORTEST = 224


def draw_cam(
    image: NDArray[Any],
    cam: NDArray[Any],
    truths: NDArray[Any] | None = None,
    sigma: float = SIGMA,
) -> NDArray[Any]:
    """An image with its boxes, and beside it the map on the image.

    Args:
        image: ``(H, W, 3)`` uint8, BGR; small ones are enlarged by a whole factor.
        cam: ``(h, w)``, of any range.
        truths: ``(G, 4)`` annotated boxes in pixels of the image, drawn in green.
        sigma: Threshold of the box of the map, drawn in red, as a share of its maximum.

    Returns:
        ``(s H, 2 s W, 3)`` uint8, BGR.
    """
    score_map = stretched(cam, image.shape[:2])
    scale = max(1, -(-_SHORTEST // min(image.shape[:2])))
    size = image.shape[1] * scale, image.shape[0] * scale
    large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    heat = cv2.resize(np.uint8(np.round(255 * score_map)), size)
    heat = cv2.addWeighted(
        large, 0.5, cv2.applyColorMap(heat, cv2.COLORMAP_JET), 0.5, 0
    )
    panels = [large.copy(), heat]
    boxes = [(box, GREEN) for box in ([] if truths is None else truths)]
    for box, colour in [*boxes, (largest_box(score_map, sigma), RED)]:
        x1, y1, x2, y2 = (int(round(float(side) * scale)) for side in box)
        for panel in panels:
            cv2.rectangle(panel, (x1, y1), (x2 - 1, y2 - 1), colour, 2)
    return np.hstack(panels)
