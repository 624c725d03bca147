# Faster R-CNN with ResNet-50 and FPN, as in the LossMix paper, suppl. B. Its code base
# is Detectron2, whose anchors, samplers and losses mmdet's model has too. The mix-aware
# heads have the same parameters and, without a supervision, the same losses.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    backbone=dict(
        # Detectron2's FREEZE_AT = 2: the stem and the first stage stay as they were,
        # the statistics of their norm layers included.
        frozen_stages=1,
        # In the other stages, statistics over the images of all GPUs (suppl. B).
        # Without several GPUs, SyncBN becomes BN by itself.
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        norm_eval=False,
    ),
    rpn_head=dict(type='MixRPNHead'),
    roi_head=dict(
        type='MixStandardRoIHead', bbox_head=dict(type='MixShared2FCBBoxHead')
    ),
)
