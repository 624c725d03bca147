# Faster R-CNN (ResNet-50 FPN) from an ImageNet backbone that was trained with CutMix:
# the transfer recipe of the CutMix supplement, sec. C, whose own model has no FPN.
# VOC07+12 trainval -> VOC07 test. 4 GPUs x 2 images.
_base_ = [
    './_base_/models/faster-rcnn_r50.py',
    './_base_/datasets/voc_short-600.py',
    './_base_/schedules/sgd_120k_faster-rcnn.py',
]

model = dict(
    backbone=dict(
        # its code keeps every norm layer as it was
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        # The backbone is yours to give: put it here, or name another file with
        # --cfg-options model.backbone.init_cfg.checkpoint=FILE
        init_cfg=dict(checkpoint='checkpoints/resnet50_cutmix.pth'),
    ),
    roi_head=dict(bbox_head=dict(num_classes=20)),
)
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
