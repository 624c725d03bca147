# Digits to their second domain, Faster R-CNN: a teacher without mixing and adversary.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn160-r18.py',
    '../_base_/datasets/digits-domain.py',
    '../_base_/schedules/domain_500.py',
]
load_from = 'work_dirs/faster-rcnn_digits/epoch_20.pth'  # of the source

model = dict(
    semi_train_cfg=dict(lambda_nst=0.0, lambda_mst=0.0, lambda_disc=0.0),
    mixers=None,
)
