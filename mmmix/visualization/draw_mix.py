"""Pictures of mixed batches: boxes coloured by component, with its weight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from mmengine.visualization import Visualizer
from torch import Tensor, nn

from mmmix.models.teachers.branches import plain_preprocessor
from mmmix.structures import MIX_IDS, MIX_VISIBILITY, get_mix_weights

COLORS = ('#2ca02c', '#d62728', '#1f77b4', '#ff7f0e')
"""Colour of the boxes of component 0, 1, …"""
IGNORED_COLOR = '#a0a0a0'
"""Colour of boxes to ignore."""

_MIN_SIDE = 300
_GAP = 4


def draw_preprocessed_batch(
    preprocessor: nn.Module,
    data: dict[str, Any],
    classes: Sequence[str] | None = None,
    max_images: int = 8,
) -> np.ndarray:
    """Picture of what a data preprocessor made of a batch, or of one branch of it.

    See :func:`draw_mixed_batch`.
    """
    inner = plain_preprocessor(preprocessor)
    return draw_mixed_batch(
        data['inputs'],
        data['data_samples'],
        mean=getattr(inner, 'mean', None),
        std=getattr(inner, 'std', None),
        bgr_to_rgb=getattr(inner, '_channel_conversion', False),
        classes=classes,
        max_images=max_images,
    )


def draw_branches(
    preprocessor: nn.Module,
    data: dict[str, Any],
    classes: Sequence[str] | None = None,
    max_images: int = 8,
) -> dict[str, np.ndarray]:
    """Pictures of what a data preprocessor returned, one for each branch.

    Args:
        preprocessor: Any of mmdet's, with several branches or not.
        data: What it returned.
        classes: Names of the labels.
        max_images: Draw at most this many of a branch.

    Returns:
        Pictures by the branch's name, which is ``''`` for a plain batch.
    """
    branches = {'': data}
    if isinstance(data['inputs'], Mapping):
        branches = {
            name: dict(inputs=inputs, data_samples=data['data_samples'][name])
            for name, inputs in data['inputs'].items()
        }
    return {
        name: draw_preprocessed_batch(preprocessor, branch, classes, max_images)
        for name, branch in branches.items()
    }


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
        inputs: ``(N, C, H, W)``, normalised by ``mean`` and ``std`` if given. Of
            more than three channels the first three are shown, one is shown grey,
            and of two the third is left dark.
        samples: N samples with boxes in pixels of ``inputs``.
        mean: Mean per channel, C values or one.
        std: Standard deviation per channel, C values or one.
        bgr_to_rgb: Whether ``inputs`` are RGB.
        classes: Names of the labels.
        max_images: Draw at most this many.

    Returns:
        ``(height, width, 3)`` uint8 RGB.
    """
    images = inputs[:max_images].detach().float().cpu()
    if mean is not None and std is not None:
        images = images * std.view(1, -1, 1, 1).cpu() + mean.view(1, -1, 1, 1).cpu()
    images = three_channels(images)
    if not bgr_to_rgb and inputs.shape[1] > 2:
        images = images.flip(1)
    pictures = images.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return _grid([_draw(*pair, classes) for pair in zip(pictures, samples)])


def three_channels(images: Tensor) -> Tensor:
    """``(N, 3, H, W)`` of any number of channels."""
    channels = images.shape[1]
    if channels == 1:
        return images.expand(-1, 3, -1, -1)
    if channels == 2:
        return nn.functional.pad(images, (0, 0, 0, 0, 0, 1))
    return images[:, :3]


def _draw(
    image: np.ndarray, sample: DetDataSample, classes: Sequence[str] | None
) -> np.ndarray:
    """One image with its boxes and, if mixed, its weights; enlarged if small.

    A box of an unmixed image that has a score shows this instead of the weight 1, and
    a box that CutMix clipped shows its visible share.
    """
    scale = max(1, math.ceil(_MIN_SIDE / min(image.shape[:2])))
    image = image.repeat(scale, axis=0).repeat(scale, axis=1)
    weights = get_mix_weights(sample.metainfo)
    visualizer = Visualizer(image=np.ascontiguousarray(image))
    if 'ignored_instances' in sample:
        for box in _boxes(sample.ignored_instances) * scale:
            visualizer.draw_bboxes(box, edge_colors=IGNORED_COLOR, line_widths=1)
    instances = sample.gt_instances
    boxes = _boxes(instances) * scale
    ids = instances.get(MIX_IDS, torch.zeros(len(boxes), dtype=torch.int64)).tolist()
    labels = instances.labels.tolist()
    figures = _figures(instances, [weights[component] for component in ids])
    for box, label, component, figure in zip(boxes, labels, ids, figures):
        color = COLORS[component % len(COLORS)]
        visualizer.draw_bboxes(box, edge_colors=color, line_widths=2, alpha=1)
        name = classes[label] if classes and label < len(classes) else str(label)
        text = f'{name} {figure:.2f}'
        _write(visualizer, text, box[:2], color)
    if len(weights) > 1:
        text = ' + '.join(f'{weight:.2f}' for weight in weights)
        _write(visualizer, text, torch.tensor([2.0, image.shape[0] - 18.0]), 'black')
    return visualizer.get_image()


def _figures(instances: InstanceData, weights: list[float]) -> list[float]:
    """What to write beside each box, given its component's weight."""
    if MIX_VISIBILITY in instances:
        return instances[MIX_VISIBILITY].tolist()
    scores = instances.get('scores', torch.ones(len(weights))).tolist()
    return [weight * score for weight, score in zip(weights, scores)]


def _boxes(instances: InstanceData) -> Tensor:
    return get_box_tensor(instances.bboxes).detach().cpu()


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
