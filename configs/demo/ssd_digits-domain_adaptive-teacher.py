# Digits to their second domain, SSD: Adaptive Teacher, without mixing.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd160-r18.py',
    '../_base_/datasets/digits-domain.py',
    '../_base_/schedules/domain_500.py',
]
load_from = 'work_dirs/ssd_digits/epoch_30.pth'  # of the source

model = dict(
    semi_train_cfg=dict(lambda_nst=0.0, lambda_mst=0.0),
    mixers=None,
)
