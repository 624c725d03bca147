# VGG-GAP on CUB-200-2011, Mixup, α = 1. 1 GPU x 32 images.
_base_ = './vgg-gap-cam_cub.py'

model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
