"""mmdet's own detector configs, shrunk until a step takes a fraction of a second."""

from __future__ import annotations

import copy
import os
from typing import Any

import mmdet
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import nn

NUM_CLASSES = 3
SHAPE = (64, 96)

CONFIGS = {
    'RetinaNet': 'retinanet/retinanet_r50_fpn_1x_coco.py',
    'FCOS': 'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py',
    'ATSS': 'atss/atss_r50_fpn_1x_coco.py',
    'RTMDet': 'rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    'YOLOX': 'yolox/yolox_tiny_8xb8-300e_coco.py',
    'CascadeRCNN': 'cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py',
    'MaskRCNN': 'mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
    'DETR': 'detr/detr_r50_8xb2-150e_coco.py',
    'DINO': 'dino/dino-4scale_r50_8xb2-12e_coco.py',
}
NAMES = tuple(CONFIGS)

_WIDTHS = ('in_channels', 'out_channels', 'feat_channels', 'embed_dims', 'num_feats')
_WIDTHS += ('feedforward_channels', 'fc_out_channels', 'conv_out_channels')
_FIXED: dict[str, Any] = dict(
    depth=18,
    frozen_stages=-1,
    norm_eval=False,
    widen_factor=0.125,
    stacked_convs=1,
    num_convs=1,
    num_layers=2,
    num_queries=20,
    num_dn_queries=4,
    nms_pre=60,
    max_per_img=20,
    num=24,
    num_classes=NUM_CLASSES,
    requires_grad=True,
    score_thr=0.0,
    dropout=0.0,  # passes share that of an encoder
    ffn_drop=0.0,
)


def config(name: str) -> Config:
    """mmdet's config of a detector with a small model and no pretrained weights.

    Args:
        name: One of ``NAMES``, or the path of a config in mmdet.
    """
    root = os.path.join(os.path.dirname(mmdet.__file__), '.mim', 'configs')
    cfg = Config.fromfile(os.path.join(root, CONFIGS.get(name, name)))
    divisors = dict.fromkeys(_WIDTHS, 3 if name in ('RTMDet', 'YOLOX') else 8)
    if name == 'DINO':
        # mmdet 3.3.0 encodes its reference points in 256 channels, whatever it is.
        divisors |= dict(out_channels=1, embed_dims=1, num_feats=1)
    cfg.model = _shrunk(cfg.model.to_dict(), divisors)
    if cfg.model.backbone.type == 'ResNet':
        cfg.model.backbone.base_channels = 32
    cfg.model.data_preprocessor.pop('batch_augments', None)
    return cfg


def _shrunk(node: Any, divisors: dict[str, int], key: str = '') -> Any:
    """A nest of dicts and lists with small numbers."""
    if isinstance(node, dict):
        kept = {k: v for k, v in node.items() if k != 'init_cfg'}
        return {k: _shrunk(v, divisors, k) for k, v in kept.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_shrunk(v, divisors, key) for v in node)
    if key in divisors:
        return node // divisors[key]
    return 'BN' if node == 'SyncBN' else _FIXED.get(key, node)


def build(cfg: Config, **wrapping: Any) -> Any:
    """The config's detector in training mode, or a detector that wraps it."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(ConfigDict(copy.deepcopy(cfg.model), **wrapping))
    model.init_weights()
    for layer in getattr(getattr(model, 'bbox_head', None), 'rtm_reg', []):
        # Boxes of size zero, RTMDet's first prediction, have no box loss.
        nn.init.constant_(layer.bias, 1.0)
    return model.train()


def objects(seed: int, count: int, with_masks: bool = False) -> InstanceData:
    """Boxes with labels, and masks that fill them if a detector takes masks."""
    rng = np.random.default_rng(seed)
    height, width = SHAPE
    extent = rng.uniform(0.25, 0.6, (count, 2)) * (width, height)
    corner = rng.uniform(0, 1, (count, 2)) * ((width, height) - extent)
    boxes = np.hstack([corner, corner + extent]).astype(np.float32)
    instances = InstanceData(
        bboxes=torch.from_numpy(boxes),
        labels=torch.from_numpy(rng.integers(NUM_CLASSES, size=count)),
    )
    if with_masks:
        masks = np.zeros((count, height, width), dtype=np.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.round().astype(int)):
            mask[y1:y2, x1:x2] = 1
        instances.masks = BitmapMasks(masks, height, width)
    return instances


def sample(gt_instances: InstanceData, index: int, **metainfo: Any) -> DetDataSample:
    """One image's annotations."""
    shapes = ('img_shape', 'pad_shape', 'batch_input_shape', 'ori_shape')
    result = DetDataSample(
        metainfo=dict(
            dict.fromkeys(shapes, SHAPE),
            scale_factor=(1.0, 1.0),
            img_id=index,
            img_path=f'{index}.jpg',
            **metainfo,
        )
    )
    result.gt_instances = gt_instances
    result.ignored_instances = gt_instances[:0]
    return result


def mixed(first: InstanceData, second: InstanceData, index: int, lam: float):
    """The union sample of two images' annotations, written out by hand."""
    union = InstanceData.cat([first, second])
    union.mix_ids = torch.tensor([0] * len(first) + [1] * len(second))
    return sample(union, index, mix_weights=(lam, 1.0 - lam))


def images(count: int, seed: int = 0) -> torch.Tensor:
    """Normalised random images."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, *SHAPE, generator=generator)


def flat(losses: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Each named entry as one vector."""
    return {
        name: torch.stack([part.reshape(()) for part in value])
        if isinstance(value, list)
        else value.reshape(1)
        for name, value in losses.items()
    }
