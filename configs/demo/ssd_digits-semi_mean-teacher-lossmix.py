# The digits demo with 50 labelled images and 1,000 unlabelled ones: SSD with a mean
# teacher and LossMix. 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/mean-teacher_ssd160-r18.py',
    '../_base_/datasets/digits-semi.py',
    '../_base_/schedules/semi_800.py',
    '../_base_/mixes/lossmix_alpha-0.2.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
)
default_hooks = dict(checkpoint=dict(save_best='teacher/pascal_voc/mAP'))
