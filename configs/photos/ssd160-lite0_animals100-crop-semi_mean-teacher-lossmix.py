# 100 labelled photographs, cropped and jittered, and 1,100 unlabelled ones: SSD, a
# mean teacher with LossMix.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/mean-teacher_ssd160-lite0.py',
    '../_base_/datasets/animals100-crop-semi.py',
    '../_base_/schedules/semi_photos.py',
    '../_base_/mixes/lossmix.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
)
