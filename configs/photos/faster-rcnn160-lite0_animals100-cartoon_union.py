# Photographs to drawings, Faster R-CNN: the teacher with Union.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn160-lite0.py',
    '../_base_/datasets/animals100-cartoon.py',
    '../_base_/schedules/domain_photos.py',
    '../_base_/mixes/union.py',
]
load_from = 'work_dirs/faster-rcnn160-lite0_animals100/epoch_60.pth'  # of the source

model = dict(
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
