# Digits to their second domain, SSD: the teacher with Noise. 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd160-r18.py',
    '../_base_/datasets/digits-domain.py',
    '../_base_/schedules/domain_500.py',
]
load_from = 'work_dirs/ssd_digits/epoch_30.pth'  # of the source

model = dict(
    # The same noise in both phases, and the labels of the source alone.
    mixers=dict(mst=_base_.model.mixers.nst),
)
