"""Images between two images: blends and centre cuts over λ (CutMix suppl. E.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmmix.evaluation import voc_overlaps
from mmmix.functional import blend, common_canvas, place, shift_boxes
from mmmix.mixing import counter_rng
from mmmix.mixing.draws import draw_partners
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.truth import blank_info, objects_of

WAYS = ('blend', 'cut')
"""How two images become one: λ a + (1 - λ) b; or the middle of b on a."""

GREY = (114.0, 114.0, 114.0)
"""Colour around the smaller image of a pair."""


class BoxedImage(NamedTuple):
    """An image and its objects.

    Attributes:
        image: ``(H, W, 3)`` uint8, BGR.
        boxes: ``(n, 4)`` as (x1, y1, x2, y2) in pixels.
        labels: ``(n,)`` classes.
    """

    image: np.ndarray
    boxes: Tensor
    labels: Tensor


class Pair(NamedTuple):
    """Two images on one canvas, in the middle of it.

    Attributes:
        first: Image a.
        second: Image b, of the same size.
    """

    first: BoxedImage
    second: BoxedImage


def make_pair(a: BoxedImage, b: BoxedImage, fill: Sequence[float]) -> Pair:
    """Put both images in the middle of the smallest canvas that holds them.

    Args:
        a: An image.
        b: An image of any size.
        fill: BGR colour around them, in [0, 255].
    """
    sizes = [side.image.shape[:2] for side in (a, b)]
    canvas, offsets = common_canvas(*sizes, align='center')
    color = torch.tensor(fill).round().clamp(0, 255).byte().view(3, 1, 1)
    placed = []
    for side, offset in zip((a, b), offsets):
        pixels = torch.tensor(side.image).permute(2, 0, 1)
        pixels = place(pixels, canvas, offset, color).permute(1, 2, 0)
        boxes = shift_boxes(side.boxes, offset, canvas)
        placed.append(BoxedImage(pixels.contiguous().numpy(), boxes, side.labels))
    return Pair(*placed)


def between(pair: Pair, lam: float, way: str) -> np.ndarray:
    """The image between a pair.

    Args:
        pair: From :func:`make_pair`.
        lam: Weight of image a in [0, 1]. Of a cut it is the share of the area that
            a keeps, up to the rounding of the hole to whole pixels.
        way: One of :data:`WAYS`.

    Returns:
        ``(H, W, 3)`` uint8; exactly a at λ = 1 and b at λ = 0.

    Raises:
        ValueError: If ``way`` or λ is none.
    """
    if not 0 <= lam <= 1:
        raise ValueError(f'λ must lie in [0, 1], got {lam}')
    a, b = pair.first.image, pair.second.image
    if way == 'blend':
        mixed = blend(torch.from_numpy(a).double(), torch.from_numpy(b).double(), lam)
        return mixed.round().byte().numpy()
    if way != 'cut':
        raise ValueError(f'expected a way among {WAYS}, got {way!r}')
    height, width = a.shape[:2]
    side = (1 - lam) ** 0.5
    hole = round(height * side), round(width * side)
    y, x = (height - hole[0]) // 2, (width - hole[1]) // 2
    mixed = a.copy()
    inside = slice(y, y + hole[0]), slice(x, x + hole[1])
    mixed[inside] = b[inside]
    return mixed


class Pairs:
    """Each image of a data set with another one.

    Args:
        images: Gives images, ``(H, W, 3)`` uint8 BGR, and their infos.
        seed: Seed of who goes with whom.

    Raises:
        ValueError: If there is but one image.
    """

    def __init__(self, images: DecodedImages, seed: int = 0) -> None:
        if len(images) < 2:
            raise ValueError(f'pairs need two images at least, got {len(images)}')
        self._images = images
        rng = counter_rng(seed)
        self._partners = draw_partners(rng, len(images), 'shuffle').tolist()
        # Those of a batch are asked for again when its detections are measured.
        self._recent = lru_cache(maxsize=128)(self._make)

    def __len__(self) -> int:
        return len(self._partners)

    def __call__(self, index: int) -> Pair:
        """The pair whose image a is that of ``index``."""
        return self._recent(index)

    def _make(self, index: int) -> Pair:
        sides = (self._boxed(i) for i in (index, self._partners[index]))
        return make_pair(*sides, GREY)

    def _boxed(self, index: int) -> BoxedImage:
        image, info = self._images[index]
        objects, _ = objects_of(info)
        return BoxedImage(image, objects.bboxes, objects.labels)

    def mixed(
        self, lam: float, way: str, index: int
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """The image between a pair, see :func:`between`, and its info."""
        image = between(self(index), lam, way)
        info = blank_info(f'{way} {lam:g} {index}', image.shape[:2])
        if getattr(self._images, 'prepared', False):
            info['prepared'] = True
        return image, info


def is_hit(
    box: Tensor, label: int, objects: Sequence[BoxedImage], iou: float = 0.5
) -> bool:
    """Whether a detection finds an object of any of these images.

    Args:
        box: ``(4,)``, in pixels of the canvas.
        label: The detected class.
        objects: Images whose objects count, on the canvas.
        iou: Least overlap, with an object of the detected class.
    """
    return any(
        bool((voc_overlaps(box[None], side.boxes[side.labels == label]) >= iou).any())
        for side in objects
    )


def share_found(
    boxes: Tensor, labels: Tensor, objects: BoxedImage, iou: float = 0.5
) -> tuple[int, int]:
    """How many objects of an image have a detection of their class.

    Args:
        boxes: ``(n, 4)`` detections.
        labels: ``(n,)`` their classes.
        objects: The image.
        iou: Least overlap.

    Returns:
        Objects found, and objects there are.
    """
    if not len(objects.boxes) or not len(boxes):
        return 0, len(objects.boxes)
    overlaps = voc_overlaps(objects.boxes, boxes)
    fits = (overlaps >= iou) & (objects.labels[:, None] == labels[None])
    return int(fits.any(dim=1).sum()), len(objects.boxes)
