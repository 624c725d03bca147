# A small Faster R-CNN for 160 x 160 pixels that learns from scratch in minutes on a
# CPU: ResNet-18 of 24 base channels, FPN of 64 channels with levels of 20 and 10
# cells, 3000 anchors.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
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
    neck=dict(in_channels=[48, 96], out_channels=64, num_outs=2),
    rpn_head=dict(
        type='MixRPNHead',
        in_channels=64,
        feat_channels=64,
        # Glyphs are 24 to 72 px long, up to 120 px after a crop, and higher than wide:
        # anchors of 24 and 36 px, and of 52 and 78 px.
        anchor_generator=dict(
            _delete_=True,
            type='AnchorGenerator',
            strides=[8, 16],
            base_sizes=[24, 52],
            scales=[1.0, 1.5],
            ratios=[1.2, 1.7, 2.3],
            center_offset=0.5,
        ),
    ),
    roi_head=dict(
        type='MixStandardRoIHead',
        bbox_roi_extractor=dict(
            out_channels=64,
            featmap_strides=[8, 16],
            finest_scale=24,  # RoIs from 48 px on take the coarser level
        ),
        bbox_head=dict(
            type='MixShared2FCBBoxHead',
            in_channels=64,
            fc_out_channels=128,
            num_classes=10,
        ),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=200, max_per_img=64),
        rcnn=dict(sampler=dict(num=32)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=64)),
)
