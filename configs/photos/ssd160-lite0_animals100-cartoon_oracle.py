# Photographs to drawings, SSD: the target with its labels.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd160-lite0.py',
    '../_base_/datasets/animals100-cartoon.py',
    '../_base_/schedules/domain_photos.py',
]
load_from = 'work_dirs/ssd160-lite0_animals100/epoch_60.pth'  # of the source

train_dataloader = dict(
    batch_size=8,
    sampler=dict(batch_size=8, source_ratio=[8]),
    dataset=dict(
        dataset=dict(
            datasets=[
                dict(
                    _base_.train_dataloader.dataset.dataset.datasets[0],
                    data_root='data/voc-animals_cartoon/',
                    ann_file='ImageSets/Main/train.txt',
                    indices=-1100,
                )
            ]
        )
    ),
)
model = dict(
    semi_train_cfg=dict(
        lambda_nst=0.0, lambda_mtt=0.0, lambda_mst=0.0, lambda_disc=0.0
    ),
    mixers=None,
)
auto_scale_lr = dict(base_batch_size=8)  # 1 x 8
