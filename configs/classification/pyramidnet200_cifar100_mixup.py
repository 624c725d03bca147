# PyramidNet-200 on CIFAR-100, Mixup, α = 1. 1 GPU x 64 images.
_base_ = './pyramidnet200_cifar100.py'

model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
