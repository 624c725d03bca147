# ResNet-50 on ImageNet: the baseline of CutMix, suppl. C-E. 8 GPUs x 32 images.
_base_ = [
    './_base_/models/r50.py',
    './_base_/datasets/imagenet.py',
    './_base_/schedules/imagenet_300e.py',
    './_base_/default_runtime.py',
]
