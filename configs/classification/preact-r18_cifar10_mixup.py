# PreAct ResNet-18 on CIFAR-10, Mixup, α = 1. 1 GPU x 128 images.
_base_ = './preact-r18_cifar10.py'

model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
