"""Mixing the pixels of a batch.

Shape shorthand: N samples, C channels, H x W pixels of the padded batch; images
lie in the upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmmix.functional import blend, paste, place
from mmmix.mixing.pair import Pair


def mix_pixels(
    inputs_a: Tensor,
    inputs_b: Tensor,
    pairs: Sequence[Pair],
    fill: Tensor | None,
    pad_value: float = 0.0,
) -> Tensor:
    """Blend or cut the images of the pairs; all other images of batch a stay.

    Where all images fill the frame it is one blend of the batch with its copy in the
    order of the partners. Otherwise every pixel is written once, image by image.

    Args:
        inputs_a: ``(N, C, H, W)``.
        inputs_b: ``(N, C, H', W')``.
        pairs: What to mix.
        fill: Colour of canvas that an image does not cover, ``(C, 1, 1)``; 0
            if None.
        pad_value: What fills the frame beyond that of batch a.

    Returns:
        A new tensor ``(N, C, max(H, H'), max(W, W'))``.
    """
    frame = tuple(map(max, inputs_a.shape[2:], inputs_b.shape[2:]))
    if pairs and _fill_frames(pairs, inputs_a, inputs_b):
        return _blend_batch(inputs_a, inputs_b, pairs)
    mixed = inputs_a.new_empty((*inputs_a.shape[:2], *frame))
    if fill is None:
        fill = inputs_a.new_zeros((inputs_a.shape[1], 1, 1))
    whole = {pair.index for pair in pairs if pair.canvas == frame}
    for index in set(range(len(inputs_a))) - whole:
        _copy(inputs_a[index], mixed[index], pad_value)
    for pair in pairs:
        rows = (inputs_a[pair.index], inputs_b[pair.partner])
        layers = [
            place(row[:, : size[0], : size[1]], pair.canvas, offset, fill)
            for row, size, offset in zip(rows, pair.sizes, pair.offsets)
        ]
        canvas = mixed[pair.index, :, : pair.canvas[0], : pair.canvas[1]]
        if pair.region is None:
            blend(*layers, pair.lam, out=canvas)
        else:
            paste(*layers, pair.region, out=canvas)
    return mixed


def _fill_frames(pairs: Sequence[Pair], inputs_a: Tensor, inputs_b: Tensor) -> bool:
    """Whether the images of all pairs fill one frame and are blended."""
    frame = tuple(inputs_a.shape[2:])
    fill = frame == tuple(inputs_b.shape[2:])
    return fill and all(p.region is None and p.sizes == (frame, frame) for p in pairs)


def _blend_batch(inputs_a: Tensor, inputs_b: Tensor, pairs: Sequence[Pair]) -> Tensor:
    """All images at once; those that are in no pair are blended with themselves."""
    order, lam = list(range(len(inputs_a))), [1.0] * len(inputs_a)
    for pair in pairs:
        order[pair.index], lam[pair.index] = pair.partner, pair.lam
    weights = torch.tensor(lam, dtype=inputs_a.dtype).to(inputs_a.device)
    return blend(inputs_a, inputs_b[order], weights[:, None, None, None])


def _copy(row: Tensor, target: Tensor, pad_value: float) -> None:
    """Copy an image of batch a, with its padding, into a frame as large or larger."""
    height, width = row.shape[1:]
    if row.shape != target.shape:
        target.fill_(pad_value)
    target[:, :height, :width] = row
