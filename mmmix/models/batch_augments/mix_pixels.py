"""Blending the images of a batch.

Shape shorthand: N samples, C channels, H x W pixels of the padded batch; images
lie in the upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmmix.functional import blend, place

from .pair import Pair


def mix_pixels(
    inputs_a: Tensor, inputs_b: Tensor, pairs: Sequence[Pair], fill: Tensor | None
) -> Tensor:
    """Blend the images of the pairs; all other images of batch a stay.

    Args:
        inputs_a: ``(N, C, H, W)``.
        inputs_b: ``(N, C, H', W')``.
        pairs: What to mix.
        fill: Colour of canvas that an image does not cover, ``(C, 1, 1)``; 0
            if None.

    Returns:
        A new tensor ``(N, C, max(H, H'), max(W, W'))``.
    """
    frames = {inputs_a.shape[2:], inputs_b.shape[2:]}
    if frames == {size for pair in pairs for size in pair.sizes}:
        return _blend_frames(inputs_a, inputs_b, pairs)
    height = max(frame[0] for frame in frames)
    width = max(frame[1] for frame in frames)
    mixed = F.pad(
        inputs_a, (0, width - inputs_a.shape[3], 0, height - inputs_a.shape[2])
    ).clone()
    if fill is None:
        fill = inputs_a.new_zeros((inputs_a.shape[1], 1, 1))
    for pair in pairs:
        rows = (inputs_a[pair.index], inputs_b[pair.partner])
        layers = [
            place(row[:, : size[0], : size[1]], pair.canvas, offset, fill)
            for row, size, offset in zip(rows, pair.sizes, pair.offsets)
        ]
        canvas = mixed[pair.index, :, : pair.canvas[0], : pair.canvas[1]]
        canvas.copy_(blend(*layers, torch.tensor(pair.lam)))
    return mixed


def _blend_frames(inputs_a: Tensor, inputs_b: Tensor, pairs: Sequence[Pair]) -> Tensor:
    """The same where every image fills the batch: one operation for all."""
    partners = torch.arange(len(inputs_a))
    lam = torch.ones(len(inputs_a))
    for pair in pairs:
        partners[pair.index] = pair.partner
        lam[pair.index] = pair.lam
    partners = partners.to(inputs_b.device)
    return blend(inputs_a, inputs_b[partners], lam.view(-1, 1, 1, 1))
