# 100 labelled photographs, cropped and jittered, and 1,100 unlabelled ones: SSD, a
# mean teacher.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/mean-teacher_ssd160-lite0.py',
    '../_base_/datasets/animals100-crop-semi.py',
    '../_base_/schedules/semi_photos.py',
]
