# 100 labelled and 1,100 unlabelled photographs: Faster R-CNN, a mean teacher with
# LossMix.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/mean-teacher_faster-rcnn160-lite0.py',
    '../_base_/datasets/animals100-semi.py',
    '../_base_/schedules/semi_photos.py',
    '../_base_/mixes/lossmix.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
)
