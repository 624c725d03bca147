"""Pixels of a pair: the common canvas and the blend (LossMix suppl. A).

Sizes are (height, width) and offsets (y, x), in pixels. λ belongs to image a.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .boxes import Size

ALIGNMENTS = ('center', 'corner', 'resize')
"""Where an image lies on the canvas: its middle, its upper left corner, or
nowhere to go, because the pipeline has already given all images one size."""


def common_canvas(
    size_a: Size, size_b: Size, align: str
) -> tuple[Size, tuple[Size, Size]]:
    """Canvas that holds both images, and where each of them goes.

    Args:
        size_a: Height and width of image a.
        size_b: Height and width of image b.
        align: One of ``'center'``, ``'corner'``, ``'resize'``.

    Returns:
        The canvas size (elementwise maximum) and the offset of either image;
        centred offsets are rounded down.

    Raises:
        ValueError: If ``align='resize'`` and the sizes differ.
    """
    if align == 'resize' and size_a != size_b:
        raise ValueError(
            "align='resize' expects the pipeline to give all images one size, got "
            f'(height, width) {size_a} and {size_b}; add a Resize with '
            "keep_ratio=False, or use align='center'"
        )
    canvas = (max(size_a[0], size_b[0]), max(size_a[1], size_b[1]))
    if align != 'center':
        return canvas, ((0, 0), (0, 0))
    return canvas, (_centred(size_a, canvas), _centred(size_b, canvas))


def _centred(size: Size, canvas: Size) -> Size:
    """Offset that centres an image on a canvas, rounded down."""
    return (canvas[0] - size[0]) // 2, (canvas[1] - size[1]) // 2


def place(image: Tensor, canvas: Size, offset: Size, fill: Tensor) -> Tensor:
    """Put an image on a canvas of one colour.

    Args:
        image: Shape ``(C, h, w)``.
        canvas: Height and width of the result.
        offset: Row and column of the image's upper left pixel.
        fill: Colour of the rest, shape ``(C, 1, 1)``, or ``(1, 1, 1)`` for one
            value in all channels.

    Returns:
        Shape ``(C, H, W)``; ``image`` itself where it covers the canvas.

    Raises:
        ValueError: If the colour has another number of channels.
    """
    channels, height, width = image.shape
    if (height, width) == tuple(canvas):
        return image
    if len(fill) not in (1, channels):
        raise ValueError(
            f'the colour of the uncovered canvas has {len(fill)} channels and the '
            f'image {channels}; give mean (and std) of the mixer one number for each '
            'channel, or one for all'
        )
    result = fill.to(image).expand(channels, *canvas).clone()
    y, x = offset
    result[:, y : y + height, x : x + width] = image
    return result


def blend(
    image_a: Tensor, image_b: Tensor, lam: float | Tensor, out: Tensor | None = None
) -> Tensor:
    """λ a + (1 - λ) b, exactly a at λ = 1 and exactly b at λ = 0.

    Args:
        image_a: Floating point images.
        image_b: The same shape.
        lam: λ in [0, 1], a number or broadcast over the images.
        out: Where to write the result, of the same shape.
    """
    return torch.lerp(image_b, image_a, lam, out=out)
