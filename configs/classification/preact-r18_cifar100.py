# PreAct ResNet-18 on CIFAR-100: the baseline of the AlignMixup poster.
# 1 GPU x 128 images.
_base_ = [
    './_base_/models/preact-r18_cifar.py',
    './_base_/datasets/cifar100.py',
    './_base_/schedules/cifar_2000e.py',
    './_base_/default_runtime.py',
]

model = dict(data_preprocessor=dict(num_classes=100), head=dict(num_classes=100))
