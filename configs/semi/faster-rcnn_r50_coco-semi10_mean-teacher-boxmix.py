# Faster R-CNN (ResNet-50 FPN), 10 % of COCO train2017 labelled -> val2017: mean teacher
# with BoxMix. 4 GPUs x 10 images.
_base_ = [
    '../_base_/models/mean-teacher_faster-rcnn_r50.py',
    '../_base_/datasets/coco-semi10.py',
    '../_base_/schedules/semi_180k_coco.py',
    '../_base_/mixes/boxmix.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
)
default_hooks = dict(checkpoint=dict(save_best='teacher/coco/AP'))
