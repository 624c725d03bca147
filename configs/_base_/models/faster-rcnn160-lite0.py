# Faster R-CNN for photographs of 160 x 160 pixels on a pretrained EfficientNet-Lite0,
# whose layers up to a stride of 8 stay as they are: FPN of 96 channels, levels of 20,
# 10 and 5 cells, 3150 anchors.
_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py', './lite0_parts.py']

model = dict(
    data_preprocessor=_base_.lite0_preprocessor,
    backbone=dict(_base_.lite0_backbone, out_indices=(3, 4, 5)),
    neck=dict(
        in_channels=[40, 112, 320],
        out_channels=96,
        num_outs=3,
        norm_cfg=dict(type='BN'),
    ),
    rpn_head=dict(
        type='MixRPNHead',
        in_channels=96,
        feat_channels=96,
        # Animals are 20 to 160 px long.
        anchor_generator=dict(
            _delete_=True,
            type='AnchorGenerator',
            strides=[8, 16, 32],
            base_sizes=[24, 52, 100],
            scales=[1.0, 1.4],
            ratios=[0.5, 1.0, 2.0],
            center_offset=0.5,
        ),
    ),
    roi_head=dict(
        type='MixStandardRoIHead',
        bbox_roi_extractor=dict(
            out_channels=96,
            featmap_strides=[8, 16, 32],
            finest_scale=32,  # RoIs from 64 px on take a coarser level
        ),
        bbox_head=dict(
            type='MixShared2FCBBoxHead',
            in_channels=96,
            fc_out_channels=256,
            num_classes=6,
        ),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=200, max_per_img=100),
        rcnn=dict(sampler=dict(num=64)),
    ),
    # All that is found is scored: above a threshold an over-fitted detector has little.
    test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=100), rcnn=dict(score_thr=0.0)),
)
del _base_.lite0_preprocessor, _base_.lite0_backbone
