"""What AlignMixup carries between the images of a batch, to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmmix.functional.sinkhorn import transport_plan
from mmmix.models.alignmix.transport import Transport
from mmmix.visualization.draw_alignment import AlignedImages

from .models import AlignMixClassifier


@torch.no_grad()
def align_images(
    model: AlignMixClassifier, data: Mapping[str, Any], rgb: bool
) -> list[AlignedImages]:
    """The pairs of a preprocessed batch, with their plans and RGB pixels.

    Each as a step that mixes features and keeps the image's own geometry; the coins for
    both are left out. An image that meets itself is, too.

    Args:
        model: In eval mode.
        data: ``inputs`` of it, ``(N, C, H, W)``, normalised.
        rgb: Whether the channels are in that order, and not BGR.

    Raises:
        ValueError: If the backbone gives no maps, or the batch is one image.
    """
    inputs = data['inputs']
    if len(inputs) == 1:
        raise ValueError('a batch of one has no pair: raise --batch-size')
    maps = model.extract_feat(inputs, stage='backbone')[-1]
    model.check_maps(maps)
    drawn, own = model.draw(inputs), maps.flatten(2)
    plans = transport_plan(own, own[drawn.partners], **model.plan).cpu()
    size, grid = inputs.shape[2:], tuple(maps.shape[2:])
    stride = size[0] / grid[0], size[1] / grid[1]
    pixels, boxes = _pixels(model, inputs, rgb), torch.zeros(0, 4)
    return [
        AlignedImages(
            (pixels[index], pixels[partner]),
            (boxes, boxes),
            drawn.lam,
            Transport(plans[index], grid, stride),
        )
        for index, partner in enumerate(drawn.partners.tolist())
        if partner != index
    ]


def _pixels(model: AlignMixClassifier, inputs: Tensor, rgb: bool) -> Tensor:
    """Normalised images as RGB in [0, 1]; grey ones get three channels."""
    preprocessor = model.data_preprocessor
    std, mean = (getattr(preprocessor, name, None) for name in ('std', 'mean'))
    if mean is not None:  # else the preprocessor does not normalise
        inputs = inputs * std + mean
    pixels = inputs.cpu() / 255
    if pixels.shape[1] != 3:
        return pixels[:, :1].expand(-1, 3, -1, -1)
    return pixels if rgb else pixels.flip(1)
