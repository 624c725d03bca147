# CUB-200-2011 with its boxes (CutMix suppl., sec. B): resized to 256 x 256, random crop
# of 224 px and flip; centre crop, boxes along with it.
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    dataset=dict(
        type='CUB',
        data_root='data/CUB_200_2011',
        split='train',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(256, 256)),
            dict(type='RandomCrop', crop_size=224),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs'),
        ],
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    dataset=dict(
        type='BoxedCUB',
        data_root='data/CUB_200_2011',
        split='test',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(256, 256)),
            dict(type='CenterCrop', crop_size=224),
            dict(type='PackInputs', algorithm_keys=('gt_bboxes',)),
        ],
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = [dict(type='Accuracy', topk=(1,)), dict(type='LocalizationMetric')]
test_dataloader = val_dataloader
test_evaluator = val_evaluator
