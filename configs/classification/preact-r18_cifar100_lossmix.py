# PreAct ResNet-18 on CIFAR-100, LossMix of two images with Mixup, which for this loss
# it equals (eq. 7-12).
# 1 GPU x 128 images.
_base_ = './preact-r18_cifar100.py'

model = dict(
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]),
    head=dict(type='LossMixHead'),
)
