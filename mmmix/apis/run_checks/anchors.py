"""Sizes of objects against the anchors of a detector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from mmcv.image.geometric import rescale_size
from mmdet.models.detectors import SemiBaseDetector
from torch import nn

from .data_sets import Loaded, infos
from .finding import OK, WARNING, Finding

TINY = 8
"""Pixels of the shorter side at the size that the network sees."""
TOLERATED = 0.1
"""Share of objects that may be tiny or match no anchor without a warning."""


def check_sizes(loaded: Loaded, model: nn.Module | None) -> Iterator[Finding]:
    """Compare the objects to train on with what the detector can find.

    Args:
        loaded: The data sets.
        model: The built detector; None leaves the anchors out.
    """
    sides = object_sides(loaded)
    if not len(sides):
        return
    small, large = np.percentile(np.sqrt(sides.prod(1)), [5, 95])
    tiny = float((sides.min(1) < TINY).mean())
    level = WARNING if tiny > TOLERATED else OK
    yield Finding(
        level,
        'object sizes',
        f'90 % are {small:.0f} to {large:.0f} px at the size that the network sees; '
        f'{tiny:.0%} have a side below {TINY} px',
        'train at a larger size, or cut the images into tiles'
        if tiny > TOLERATED
        else '',
    )
    for key, shapes, threshold in anchors_of(model) if model is not None else ():
        lost = float((best_overlap(sides, shapes) < threshold).mean())
        text = (
            f'{lost:.0%} of the objects overlap no anchor of {key} by {threshold:g} '
            f'(anchors: {shapes.min():.0f} to {shapes.max():.0f} px)'
        )
        fix = (
            f'change the scales or ratios of model.{key}.anchor_generator, or the size'
        )
        few = lost <= TOLERATED
        yield Finding(OK if few else WARNING, 'anchors', text, '' if few else fix)


def object_sides(loaded: Loaded, split: str = 'train') -> np.ndarray:
    """Width and height of all objects of a split, as the network sees them: (N, 2).

    The first resize of the validation pipeline counts: that of training is random.
    """
    scale, keep_ratio = _resize(loaded)
    found = []
    for source in loaded.sources.get(split, ()):
        for info in infos(source) if source.labelled else ():
            size = info.get('width'), info.get('height')
            if all(size):
                factor = _factor(size, scale, keep_ratio)
                objects = info.get('instances') or ()
                found += [_sides(item, factor) for item in objects]
    sides = np.array([one for one in found if one is not None], dtype=float)
    return sides.reshape(-1, 2)


def _sides(instance: Mapping, factor: np.ndarray) -> np.ndarray | None:
    """Width and height of an object; None if it is ignored or has no area."""
    x1, y1, x2, y2 = instance['bbox']
    if instance.get('ignore_flag') or x2 <= x1 or y2 <= y1:
        return None
    return np.array([x2 - x1, y2 - y1]) * factor


def _resize(loaded: Loaded) -> tuple[tuple[int, int] | None, bool]:
    """Scale and ``keep_ratio`` of the first resize for validation."""
    for source in [*loaded.sources.get('val', ()), *loaded.sources.get('train', ())]:
        for step in getattr(source.dataset.pipeline, 'transforms', ()):
            scale = getattr(step, 'scale', None)
            if isinstance(scale, (tuple, list)) and np.ndim(scale) == 1:
                return tuple(scale), getattr(step, 'keep_ratio', False)
    return None, True


def _factor(
    size: Sequence[int], scale: tuple[int, int] | None, keep_ratio: bool
) -> np.ndarray:
    """By how much width and height are scaled."""
    if scale is None:
        return np.ones(2)
    if keep_ratio:
        return np.array(rescale_size(tuple(size), scale)) / size
    return np.array(scale) / size


def anchors_of(model: nn.Module) -> Iterator[tuple[str, np.ndarray, float]]:
    """Heads with anchors: their names, widths and heights (A, 2), and the least IoU.

    Of a teacher the names are those of ``detector``, which both parts are built from.
    """
    modules = model.named_modules()
    if isinstance(model, SemiBaseDetector):
        modules = model.student.named_modules(prefix='detector')
    for key, head in modules:
        base = getattr(getattr(head, 'prior_generator', None), 'base_anchors', None)
        least = getattr(getattr(head, 'assigner', None), 'pos_iou_thr', None)
        if not base or not isinstance(least, float):
            continue
        anchors = torch.cat([level.reshape(-1, 4) for level in base]).cpu().numpy()
        yield key, anchors[:, 2:] - anchors[:, :2], least


def best_overlap(sides: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """The largest IoU of each object with an anchor at its own centre.

    Args:
        sides: Width and height of N objects, (N, 2).
        shapes: Width and height of A anchors, (A, 2).

    Returns:
        IoU in [0, 1], (N,).
    """
    inter = np.minimum(sides[:, None], shapes[None]).prod(-1)
    union = sides.prod(-1)[:, None] + shapes.prod(-1)[None] - inter
    return (inter / union).max(1)
