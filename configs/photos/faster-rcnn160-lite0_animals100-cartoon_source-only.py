# Photographs to drawings, Faster R-CNN: the source alone.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn160-lite0.py',
    '../_base_/datasets/animals100-cartoon.py',
    '../_base_/schedules/domain_photos.py',
]
load_from = 'work_dirs/faster-rcnn160-lite0_animals100/epoch_60.pth'  # of the source

train_dataloader = dict(
    batch_size=8,
    sampler=dict(batch_size=8, source_ratio=[8]),
    dataset=dict(
        dataset=dict(datasets=_base_.train_dataloader.dataset.dataset.datasets[:1])
    ),
)
model = dict(
    semi_train_cfg=dict(
        lambda_nst=0.0, lambda_mtt=0.0, lambda_mst=0.0, lambda_disc=0.0
    ),
    mixers=None,
)
auto_scale_lr = dict(base_batch_size=8)  # 1 x 8
