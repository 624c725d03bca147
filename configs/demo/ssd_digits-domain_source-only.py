# Digits to their second domain, SSD: the source alone. 1 GPU (or CPU) x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd160-r18.py',
    '../_base_/datasets/digits-domain_source.py',
    '../_base_/schedules/domain_500.py',
]
load_from = 'work_dirs/ssd_digits/epoch_30.pth'  # of the source

model = dict(
    semi_train_cfg=dict(
        lambda_nst=0.0, lambda_mtt=0.0, lambda_mst=0.0, lambda_disc=0.0
    ),
    mixers=None,
)
auto_scale_lr = dict(base_batch_size=4)  # 1 x 4
