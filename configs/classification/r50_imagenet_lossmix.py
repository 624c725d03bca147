# ResNet-50 on ImageNet, LossMix of two images with Mixup, which for this loss it equals
# (eq. 7-12).
# 8 GPUs x 32 images.
_base_ = './r50_imagenet.py'

model = dict(
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]),
    head=dict(type='LossMixHead'),
)
