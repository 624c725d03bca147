# Faster R-CNN with ResNet-101, without FPN, for domain adaptation: the model of
# Adaptive Teacher (arXiv:2111.13216), which the LossMix paper takes too (sec. 5.1). It
# is Detectron2's C4, one feature map of stride 16, with two fully connected layers on
# 7 x 7 RoIs instead of the last stage; so mmdet's DC5, which has these, is nearest.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50-caffe-dc5.py'
# A variable of mmdet's file that configures nothing here.
del _base_.norm_cfg

model = dict(
    backbone=dict(
        depth=101,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
        init_cfg=dict(checkpoint='open-mmlab://detectron2/resnet101_caffe'),
    ),
    rpn_head=dict(type='MixRPNHead', in_channels=1024, feat_channels=1024),
    roi_head=dict(
        type='MixStandardRoIHead',
        bbox_roi_extractor=dict(out_channels=1024),
        bbox_head=dict(type='MixShared2FCBBoxHead', in_channels=1024, num_classes=20),
    ),
    train_cfg=dict(rpn=dict(allowed_border=-1)),
)
