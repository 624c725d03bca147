"""Pictures of mixed batches: boxes coloured by component, with its weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.visualization import Visualizer
from torch import Tensor, nn

from mmmix.structures import MIX_IDS, get_mix_weights

COLORS = ('#2ca02c', '#d62728', '#1f77b4', '#ff7f0e')
"""Colour of the boxes of component 0, 1, …"""

_MIN_SIDE = 300
_GAP = 4


def draw_preprocessed_batch(
    preprocessor: nn.Module,
    data: dict[str, Any],
    classes: Sequence[str] | None = None,
    max_images: int = 8,
) -> np.ndarray:
    """Picture of what a data preprocessor returned; see :func:`draw_mixed_batch`."""
    return draw_mixed_batch(
        data['inputs'],
        data['data_samples'],
        mean=getattr(preprocessor, 'mean', None),
        std=getattr(preprocessor, 'std', None),
        bgr_to_rgb=getattr(preprocessor, '_channel_conversion', False),
        classes=classes,
        max_images=max_images,
    )


def draw_mixed_batch(
    inputs: Tensor,
    samples: Sequence[DetDataSample],
    *,
    mean: Tensor | None = None,
    std: Tensor | None = None,
    bgr_to_rgb: bool = True,
    classes: Sequence[str] | None = None,
    max_images: int = 8,
) -> np.ndarray:
    """Draw a batch as a grid of images with their boxes.

    Args:
        inputs: ``(N, 3, H, W)``, normalised by ``mean`` and ``std`` if given.
        samples: N samples with boxes in pixels of ``inputs``.
        mean: Mean per channel, 3 values.
        std: Standard deviation per channel, 3 values.
        bgr_to_rgb: Whether ``inputs`` are RGB.
        classes: Names of the labels.
        max_images: Draw at most this many.

    Returns:
        ``(height, width, 3)`` uint8 RGB.
    """
    images = inputs[:max_images].detach().float().cpu()
    if mean is not None and std is not None:
        images = images * std.view(1, -1, 1, 1).cpu() + mean.view(1, -1, 1, 1).cpu()
    if not bgr_to_rgb:
        images = images.flip(1)
    pictures = images.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return _grid([_draw(*pair, classes) for pair in zip(pictures, samples)])


def _draw(
    image: np.ndarray, sample: DetDataSample, classes: Sequence[str] | None
) -> np.ndarray:
    """One image with its boxes and, if mixed, its weights; enlarged if small."""
    scale = max(1, math.ceil(_MIN_SIDE / min(image.shape[:2])))
    image = image.repeat(scale, axis=0).repeat(scale, axis=1)
    weights = get_mix_weights(sample.metainfo)
    visualizer = Visualizer(image=np.ascontiguousarray(image))
    instances = sample.gt_instances
    boxes = instances.bboxes
    boxes = boxes if isinstance(boxes, Tensor) else get_box_tensor(boxes)
    boxes = boxes.detach().cpu() * scale
    ids = instances.get(MIX_IDS, torch.zeros(len(boxes), dtype=torch.int64)).tolist()
    for box, label, component in zip(boxes, instances.labels.tolist(), ids):
        color = COLORS[component % len(COLORS)]
        visualizer.draw_bboxes(box, edge_colors=color, line_widths=2, alpha=1)
        name = classes[label] if classes else str(label)
        text = f'{name} {weights[component]:.2f}'
        _write(visualizer, text, box[:2], color)
    if len(weights) > 1:
        text = ' + '.join(f'{weight:.2f}' for weight in weights)
        _write(visualizer, text, torch.tensor([2.0, image.shape[0] - 18.0]), 'black')
    return visualizer.get_image()


def _write(visualizer: Visualizer, text: str, where: Tensor, color: str) -> None:
    visualizer.draw_texts(
        text,
        where,
        font_sizes=9,
        colors='white',
        bboxes=dict(facecolor=color, alpha=0.8, pad=1, edgecolor='none'),
    )


def _grid(pictures: list[np.ndarray]) -> np.ndarray:
    """Lay pictures of one size out in a grid that is about square."""
    height, width = pictures[0].shape[:2]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    grid = np.full(
        (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3),
        255,
        dtype=np.uint8,
    )
    for index, picture in enumerate(pictures):
        y, x = (index // columns) * (height + _GAP), (index % columns) * (width + _GAP)
        grid[y : y + height, x : x + width] = picture
    return grid
