# PreAct ResNet-18 on CIFAR-10: the baseline of the AlignMixup poster.
# 1 GPU x 128 images.
_base_ = [
    './_base_/models/preact-r18_cifar.py',
    './_base_/datasets/cifar10.py',
    './_base_/schedules/cifar_2000e.py',
    './_base_/default_runtime.py',
]
