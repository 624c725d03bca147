# ResNet-50, 14 x 14 cells, on CUB-200-2011, CutMix, suppl. alg. A1. 1 GPU x 32 images.
_base_ = './r50-cam_cub.py'

model = dict(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')]))
