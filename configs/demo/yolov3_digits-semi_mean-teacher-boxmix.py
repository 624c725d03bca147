# The digits demo with 50 labelled images and 1,000 unlabelled ones: YOLOv3 with a
# mean teacher and BoxMix. 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/mean-teacher_yolov3-160-r18.py',
    '../_base_/datasets/digits-semi.py',
    '../_base_/schedules/semi_800.py',
    '../_base_/mixes/boxmix.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
)
default_hooks = dict(checkpoint=dict(save_best='teacher/pascal_voc/mAP'))
