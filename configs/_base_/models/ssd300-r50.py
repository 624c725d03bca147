# SSD300 with ResNet-50, as in the BoxMix paper, sec. 4.1, and the CutMix supplement,
# sec. C: layer2 takes the place of VGG's conv4_3. The levels of 38, 19, 10, 5, 3 and
# 1 cells carry 8732 anchors.
_base_ = 'mmdet::_base_/models/ssd300.py'
# Two variables of mmdet's file that configure nothing here.
del _base_.input_size, _base_.cudnn_benchmark

model = dict(
    data_preprocessor=dict(std=[58.395, 57.12, 57.375]),
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        out_indices=(1, 2, 3),
        # Statistics over all 32 images: the BoxMix paper trains on one GPU.
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        norm_eval=False,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(
        in_channels=(512, 1024, 2048),
        out_channels=(512, 1024, 2048, 512, 256, 256),
        level_strides=(2, 1, 1),
        level_paddings=(1, 0, 0),
    ),
    bbox_head=dict(type='MixSSDHead', in_channels=(512, 1024, 2048, 512, 256, 256)),
)
