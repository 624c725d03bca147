# A small SSD for 160 x 160 pixels that learns from scratch in minutes on a CPU:
# ResNet-18 of 24 base channels, levels of 20, 10 and 5 cells, 3150 anchors.
_base_ = 'mmdet::_base_/models/ssd300.py'
# Two variables of mmdet's file that configure nothing here.
del _base_.input_size, _base_.cudnn_benchmark

model = dict(
    data_preprocessor=dict(std=[58.395, 57.12, 57.375]),
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        base_channels=24,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(1, 2),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
    ),
    neck=dict(
        in_channels=(48, 96),
        out_channels=(48, 96, 128),
        level_strides=(2,),
        level_paddings=(1,),
        norm_cfg=dict(type='BN', requires_grad=True),
        l2_norm_scale=None,
    ),
    bbox_head=dict(
        type='MixSSDHead',
        in_channels=(48, 96, 128),
        num_classes=10,
        # Glyphs are 24 to 72 px long, and higher than wide.
        anchor_generator=dict(
            _delete_=True,
            type='AnchorGenerator',
            strides=[8, 16, 32],
            base_sizes=[22, 36, 54],
            scales=[1.0, 1.25],
            ratios=[1.2, 1.6, 2.0],
            center_offset=0.5,
        ),
    ),
    # An anchor half of which lies in a box to ignore is no background. The labels of
    # the digits have none of these, those of a teacher do.
    train_cfg=dict(assigner=dict(ignore_iof_thr=0.5)),
)
