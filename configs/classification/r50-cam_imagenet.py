# ResNet-50, 14 x 14 cells, on ImageNet: localisation of CutMix, suppl. B.2.
# 8 GPUs x 32 images.
_base_ = [
    './_base_/models/r50-cam.py',
    './_base_/datasets/imagenet_boxes.py',
    './_base_/schedules/imagenet_20e.py',
    './_base_/default_runtime.py',
]
