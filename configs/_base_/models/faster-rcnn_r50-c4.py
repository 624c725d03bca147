# Faster R-CNN with ResNet-50 and no FPN, the model of the CutMix supplement, sec. C.
# Its code, github.com/jwyang/faster-rcnn.pytorch, pools 7 x 7 cells of the map of
# stride 16 for the last stage, which then has 4 x 4; mmdet's C4 pools twice as many.
# Other figures are those of cfgs/res50.yml and lib/model/utils/config.py there.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50-caffe-c4.py'
# A variable of mmdet's file that configures nothing here.
del _base_.norm_cfg

model = dict(
    # backbones in torchvision's form, as classifiers trained with CutMix are released
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(style='pytorch', init_cfg=dict(checkpoint='torchvision://resnet50')),
    rpn_head=dict(
        type='MixRPNHead',
        feat_channels=512,
        anchor_generator=dict(scales=[8, 16, 32]),
        loss_bbox=dict(_delete_=True, type='SmoothL1Loss', beta=1 / 9),
    ),
    roi_head=dict(
        type='MixStandardRoIHead',
        shared_head=dict(
            style='pytorch', init_cfg=dict(checkpoint='torchvision://resnet50')
        ),
        bbox_roi_extractor=dict(roi_layer=dict(output_size=7)),
        bbox_head=dict(
            type='MixBBoxHead',
            roi_feat_size=4,
            num_classes=20,
            loss_bbox=dict(_delete_=True, type='SmoothL1Loss', beta=1.0),
        ),
    ),
    train_cfg=dict(rpn=dict(allowed_border=0), rcnn=dict(sampler=dict(num=256))),
    test_cfg=dict(rpn=dict(max_per_img=300), rcnn=dict(nms=dict(iou_threshold=0.3))),
)
