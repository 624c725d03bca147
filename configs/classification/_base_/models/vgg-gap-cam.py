# VGG-GAP for localisation (CutMix suppl., sec. B), 14 x 14 cells of 224 px. Its
# ImageNet weights are mmpretrain's VGG-16, whose layers have the same names.
_base_ = './r50.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='VGGGAP',
        depth=16,
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/vgg/'
            'vgg16_batch256_imagenet_20210208-db26f1a5.pth',
        ),
    ),
    neck=None,
    head=dict(type='CAMHead', in_channels=1024),
)
