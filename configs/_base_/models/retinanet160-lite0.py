# RetinaNet for photographs of 160 x 160 pixels on a pretrained EfficientNet-Lite0,
# whose layers up to a stride of 8 stay as they are: mmdet's own head of one
# convolution, levels of 10, 5 and 3 cells, 804 anchors.
_base_ = ['mmdet::_base_/models/retinanet_r50_fpn.py', './lite0_parts.py']

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
    ),
    bbox_head=dict(
        num_classes=6,
        in_channels=128,
        feat_channels=128,
        stacked_convs=1,
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
    # All that is found is scored: above a threshold an over-fitted detector has little.
    test_cfg=dict(score_thr=0.0),
)
del _base_.lite0_preprocessor, _base_.lite0_backbone
