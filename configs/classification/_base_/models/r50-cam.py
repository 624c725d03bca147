# ResNet-50 for localisation (CutMix suppl., sec. B): layer 4 has stride 1, so that
# 224 px give 14 x 14 cells, and starts from ImageNet weights.
_base_ = './r50.py'

model = dict(
    backbone=dict(
        strides=(1, 2, 2, 1),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=None,
    head=dict(type='CAMHead'),
)
