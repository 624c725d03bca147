# ResNet-50 on ImageNet, Mixup, α = 1. 8 GPUs x 32 images.
_base_ = './r50_imagenet.py'

model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
