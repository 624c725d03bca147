# VGG-GAP on ImageNet, CutMix, suppl. alg. A1. 8 GPUs x 32 images.
_base_ = './vgg-gap-cam_imagenet.py'

model = dict(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')]))
