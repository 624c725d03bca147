# ResNet-50, 14 x 14 cells, on ImageNet, CutMix, suppl. alg. A1. 8 GPUs x 32 images.
_base_ = './r50-cam_imagenet.py'

model = dict(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')]))
