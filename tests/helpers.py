"""Small random batches and heads, built by hand rather than by our mixers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmmix.models.loss_terms import regression_names
from mmmix.structures import MIX_IDS, MIX_WEIGHTS, Annotations

NUM_CLASSES = 20
SIZE = 300
LEVELS = (38, 19, 10, 5, 3, 1)
PRIORS = (4, 6, 6, 6, 4, 4)

HEAD = dict(
    in_channels=(4,) * 6,
    num_classes=NUM_CLASSES,
    anchor_generator=dict(
        type='SSDAnchorGenerator',
        scale_major=False,
        input_size=SIZE,
        basesize_ratio_range=(0.2, 0.9),
        strides=[8, 16, 32, 64, 100, 300],
        ratios=[[2], [2, 3], [2, 3], [2, 3], [2], [2]],
    ),
    bbox_coder=dict(
        type='DeltaXYWHBBoxCoder',
        target_means=[0.0, 0.0, 0.0, 0.0],
        target_stds=[0.1, 0.1, 0.2, 0.2],
    ),
    train_cfg=ConfigDict(
        assigner=dict(
            type='MaxIoUAssigner',
            pos_iou_thr=0.5,
            neg_iou_thr=0.5,
            min_pos_iou=0.0,
            ignore_iof_thr=-1,
            gt_max_assign_all=False,
        ),
        sampler=dict(type='PseudoSampler'),
        smoothl1_beta=1.0,
        allowed_border=-1,
        pos_weight=-1,
        neg_pos_ratio=3,
        debug=False,
    ),
    test_cfg=ConfigDict(
        nms_pre=1000,
        nms=dict(type='nms', iou_threshold=0.45),
        min_bbox_size=0,
        score_thr=0.02,
        max_per_img=200,
    ),
)


def build_heads(**overrides: Any) -> tuple[Any, Any]:
    """A stock ``SSDHead`` and a ``MixSSDHead`` of the same settings."""
    cfg = copy.deepcopy(HEAD)
    cfg['train_cfg'].update(overrides.pop('train_cfg', {}))
    cfg.update(overrides)
    stock = MODELS.build(dict(type='SSDHead', **copy.deepcopy(cfg)))
    return stock, MODELS.build(dict(type='MixSSDHead', **cfg))


def with_supervision(
    head: Any, positives: str | None = None, **supervision: Any
) -> Any:
    """The same head with a supervision of its own, and another rule of positives."""
    from mmmix.models.supervisions import build_supervision

    head = copy.copy(head)
    head.supervision = build_supervision(supervision)
    if positives is not None:
        head.mix_positives = positives
    return head


def random_boxes(rng: np.random.Generator, count: int, size: int = SIZE):
    """``(count, 4)`` boxes of 7 to 60 % of a square image."""
    extent = rng.uniform(0.07 * size, 0.6 * size, (count, 2))
    corner = rng.uniform(0, 1, (count, 2)) * (size - extent)
    return torch.tensor(np.hstack([corner, corner + extent]), dtype=torch.float32)


def instances(rng: np.random.Generator, count: int, size: int = SIZE) -> InstanceData:
    """``count`` random boxes with labels."""
    return InstanceData(
        bboxes=random_boxes(rng, count, size),
        labels=torch.tensor(rng.integers(NUM_CLASSES, size=count)),
    )


def annotations(counts: Sequence[int], seed: int = 0, size: int = SIZE) -> Annotations:
    """An unmixed batch with ``counts[i]`` boxes on image i."""
    rng = np.random.default_rng(seed)
    shape = (size, size)
    metas = [
        dict(img_shape=shape, pad_shape=shape, batch_input_shape=shape, img_path=f'{i}')
        for i in range(len(counts))
    ]
    gt_instances = [instances(rng, count, size) for count in counts]
    return Annotations(gt_instances, metas, [None] * len(counts))


def mixed(
    first: Annotations, second: Annotations, lams: Sequence[float]
) -> Annotations:
    """The union batch of two batches on one canvas, written out by hand."""
    unions, metas = [], []
    for a, b, meta, lam in zip(
        first.gt_instances, second.gt_instances, first.metas, lams
    ):
        union = InstanceData.cat([a, b])
        union[MIX_IDS] = torch.tensor([0] * len(a) + [1] * len(b))
        unions.append(union)
        metas.append({**meta, MIX_WEIGHTS: (lam, 1.0 - lam)})
    return Annotations(unions, metas, [None] * len(metas))


def predictions(num_images: int, seed: int = 0, scale: float = 1.0):
    """Random class scores and box deltas per level, with gradients."""
    generator = torch.Generator().manual_seed(seed)
    scores, deltas = [], []
    for side, priors in zip(LEVELS, PRIORS):
        for maps, channels in ((scores, NUM_CLASSES + 1), (deltas, 4)):
            shape = (num_images, priors * channels, side, side)
            maps.append(torch.randn(shape, generator=generator).mul_(scale))
    return (
        [score.requires_grad_() for score in scores],
        [delta.requires_grad_() for delta in deltas],
    )


def samples_of(batch: Annotations) -> list[DetDataSample]:
    """The same annotations as data samples."""
    samples = []
    for gt_instances, meta in zip(batch.gt_instances, batch.metas):
        sample = DetDataSample(metainfo=meta)
        sample.gt_instances = gt_instances
        sample.ignored_instances = gt_instances[:0]
        samples.append(sample)
    return samples


def total(losses: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Sum of each named loss over its list."""
    return {
        name: torch.stack([v.sum() for v in value]).sum()
        if isinstance(value, list)
        else value.sum()
        for name, value in losses.items()
    }


def is_regression(name: str) -> bool:
    """Whether a loss supervises boxes, by its name alone."""
    return bool(regression_names(torch.nn.Module(), [name]))
