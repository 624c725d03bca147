# Photographs to drawings, SSD: Adaptive Teacher, without mixing.
# 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd160-lite0.py',
    '../_base_/datasets/animals100-cartoon.py',
    '../_base_/schedules/domain_photos.py',
]
load_from = 'work_dirs/ssd160-lite0_animals100/epoch_60.pth'  # of the source

model = dict(
    semi_train_cfg=dict(lambda_nst=0.0, lambda_mst=0.0),
    mixers=None,
)
