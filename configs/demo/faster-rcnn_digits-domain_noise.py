# Digits to their second domain, Faster R-CNN: the teacher with Noise.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn160-r18.py',
    '../_base_/datasets/digits-domain.py',
    '../_base_/schedules/domain_500.py',
]
load_from = 'work_dirs/faster-rcnn_digits/epoch_20.pth'  # of the source

model = dict(
    # The same noise in both phases, and the labels of the source alone.
    mixers=dict(mst=_base_.model.mixers.nst),
)
