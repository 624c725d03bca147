# Faster R-CNN with ResNet-101 and FPN, as in the LossMix paper, suppl. B; the comments
# of faster-rcnn_r50.py hold here too.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    backbone=dict(
        depth=101,
        frozen_stages=1,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        norm_eval=False,
        init_cfg=dict(checkpoint='torchvision://resnet101'),
    ),
    rpn_head=dict(type='MixRPNHead'),
    roi_head=dict(
        type='MixStandardRoIHead', bbox_head=dict(type='MixShared2FCBBoxHead')
    ),
)
