# SSD for photographs of 160 x 160 pixels on a pretrained EfficientNet-Lite0, whose
# layers up to a stride of 8 stay as they are: levels of 10, 5 and 3 cells, 804 anchors.
# An epoch of 300 images takes a quarter of a minute of one CPU core.
_base_ = ['mmdet::_base_/models/ssd300.py', './lite0_parts.py']
# Two variables of mmdet's file that configure nothing here.
del _base_.input_size, _base_.cudnn_benchmark

model = dict(
    data_preprocessor=_base_.lite0_preprocessor,
    backbone=_base_.lite0_backbone,
    neck=dict(
        _delete_=True,
        type='FPN',
        in_channels=[112, 320],
        out_channels=128,
        num_outs=3,
        norm_cfg=dict(type='BN'),
        act_cfg=dict(type='ReLU'),
    ),
    bbox_head=dict(
        type='MixSSDHead',
        in_channels=(128, 128, 128),
        num_classes=6,
        anchor_generator=dict(
            _delete_=True,
            type='AnchorGenerator',
            strides=[16, 32, 64],
            base_sizes=[30, 64, 108],
            scales=[1.0, 1.35],
            ratios=[0.5, 1.0, 2.0],
            center_offset=0.5,
        ),
    ),
    train_cfg=dict(assigner=dict(ignore_iof_thr=0.5)),
    # All that is found is scored: above a threshold an over-fitted detector has little.
    test_cfg=dict(score_thr=0.0),
)
del _base_.lite0_preprocessor, _base_.lite0_backbone
