# Faster R-CNN (ResNet-50 FPN), VOC07 trainval labelled, VOC12 trainval unlabelled ->
# VOC07 test: mean teacher with BoxMix. 8 GPUs x 4 images.
_base_ = [
    '../_base_/models/mean-teacher_faster-rcnn_r50.py',
    '../_base_/datasets/voc07-voc12u_ms-480-800.py',
    '../_base_/schedules/semi_180k_voc.py',
    '../_base_/mixes/boxmix.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
    detector=dict(
        roi_head=dict(bbox_head=dict(num_classes=20)),
    ),
    # those of Unbiased Teacher
    semi_train_cfg=dict(unsup_weight=2.0, cls_pseudo_thr=0.7),
)
default_hooks = dict(checkpoint=dict(save_best='teacher/pascal_voc/mAP'))
