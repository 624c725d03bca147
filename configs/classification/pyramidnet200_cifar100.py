# PyramidNet-200 on CIFAR-100: the baseline of CutMix, suppl. E.2. 1 GPU x 64 images.
_base_ = [
    './_base_/models/pyramidnet200_cifar.py',
    './_base_/datasets/cifar100.py',
    './_base_/schedules/cifar_300e.py',
    './_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=64)
