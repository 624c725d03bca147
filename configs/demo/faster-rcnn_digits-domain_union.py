# Digits to their second domain, Faster R-CNN: the teacher with Union.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn160-r18.py',
    '../_base_/datasets/digits-domain.py',
    '../_base_/schedules/domain_500.py',
    '../_base_/mixes/union.py',
]
load_from = 'work_dirs/faster-rcnn_digits/epoch_20.pth'  # of the source

model = dict(
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
