"""YOLOv3's losses on mixed samples in numpy, from the stock head's targets."""

from __future__ import annotations

import numpy as np
import torch

SIZE = 96
SIDES = (3, 6, 12)
NUM_CLASSES = 20

HEAD = dict(
    num_classes=NUM_CLASSES,
    in_channels=(4, 4, 4),
    out_channels=(4, 4, 4),
    anchor_generator=dict(
        type='YOLOAnchorGenerator',
        base_sizes=[
            [(60, 50), (48, 70), (80, 80)],
            [(30, 24), (24, 36), (40, 40)],
            [(10, 13), (16, 12), (20, 22)],
        ],
        strides=[32, 16, 8],
    ),
    loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True, reduction='sum'),
    loss_conf=dict(type='CrossEntropyLoss', use_sigmoid=True, reduction='sum'),
    loss_xy=dict(
        type='CrossEntropyLoss', use_sigmoid=True, loss_weight=2.0, reduction='sum'
    ),
    loss_wh=dict(type='MSELoss', loss_weight=2.0, reduction='sum'),
    test_cfg=dict(
        nms_pre=100,
        score_thr=0.0,
        conf_thr=0.0,
        nms=dict(type='nms', iou_threshold=0.45),
        max_per_img=50,
    ),
)


def predictions(num_images: int, seed: int = 0, scale: float = 1.0):
    """Random prediction maps per level, with gradients; the head's one output."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(num_images, 3 * (5 + NUM_CLASSES), side, side) for side in SIDES]
    maps = [torch.randn(shape, generator=generator).mul_(scale) for shape in shapes]
    return [pred.requires_grad_() for pred in maps]


def flat(maps) -> torch.Tensor:
    """(N, A, 5 + C) in the order of the anchors."""
    return torch.cat(
        [m.permute(0, 2, 3, 1).reshape(len(m), -1, 5 + NUM_CLASSES) for m in maps], 1
    )


def targets(stock, batch) -> tuple[np.ndarray, np.ndarray]:
    """The stock head's target maps (N, A, 5 + C) and negatives (N, A)."""
    sizes = [(side, side) for side in SIDES]
    anchors = stock.prior_generator.grid_priors(sizes, device='cpu')
    flags = [
        stock.responsible_flags(sizes, i.bboxes, 'cpu') for i in batch.gt_instances
    ]
    maps, negatives = stock.get_targets(
        [anchors] * len(flags), flags, batch.gt_instances
    )
    return (
        torch.cat(maps, dim=1).double().numpy(),
        torch.cat(negatives, dim=1).double().numpy(),
    )


def bce(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Binary cross-entropy per element."""
    return np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))


def losses(maps, target, negative, cls_weight, reg_weight) -> dict[str, float]:
    """The four losses with a weight per anchor.

    Args:
        maps: Prediction maps.
        target: (N, A, 5 + C).
        negative: (N, A).
        cls_weight: Factor of confidence and class terms, broadcast to (N, A).
        reg_weight: Factor of box terms, likewise.
    """
    pred = flat(maps).detach().double().numpy()
    positive = target[..., 4]
    conf = (positive + negative) * bce(pred[..., 4], positive) * cls_weight
    cls = positive * bce(pred[..., 5:], target[..., 5:]).sum(-1) * cls_weight
    xy = positive * bce(pred[..., :2], target[..., :2]).sum(-1) * reg_weight
    wh = positive * ((pred[..., 2:4] - target[..., 2:4]) ** 2).sum(-1) * reg_weight
    return dict(
        loss_cls=cls.sum(),
        loss_conf=conf.sum(),
        loss_xy=2 * xy.sum(),
        loss_wh=2 * wh.sum(),
    )


def box_of_each_positive(stock, target, instances) -> np.ndarray:
    """Index of the box that an anchor's target encodes, -1 elsewhere; (A,)."""
    sizes = [(side, side) for side in SIDES]
    anchors = stock.prior_generator.grid_priors(sizes, device='cpu')
    strides = [
        stride for stride, level in zip((32, 16, 8), anchors) for _ in range(len(level))
    ]
    owner = np.full(len(target), -1)
    for a, (anchor, stride) in enumerate(zip(torch.cat(anchors), strides)):
        for b, box in enumerate(instances.bboxes if target[a, 4] else ()):
            code = stock.bbox_coder.encode(anchor[None], box[None], stride)[0]
            if np.allclose(code.numpy(), target[a, :4], atol=1e-6):
                owner[a] = b
    return owner
