# 100 labelled and 1,100 unlabelled photographs: Faster R-CNN, a mean teacher.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/mean-teacher_faster-rcnn160-lite0.py',
    '../_base_/datasets/animals100-semi.py',
    '../_base_/schedules/semi_photos.py',
]
