# ResNet-50, 14 x 14 cells, on CUB-200-2011, Mixup, α = 1. 1 GPU x 32 images.
_base_ = './r50-cam_cub.py'

model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
