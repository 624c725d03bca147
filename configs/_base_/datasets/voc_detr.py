# VOC07+12 trainval (16,551 images), one pass an epoch, for DETR and 2 images a GPU,
# with mmdet's augmentation: flip, then the shorter side from 480 to 800, for half of
# the images after a crop.
_base_ = ['./multiscale_pipelines.py', './voc07_test.py']

pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomChoice',
        transforms=[
            [_base_.short_480_800_pipeline[2]],
            [
                dict(
                    type='RandomChoiceResize',
                    scales=[(400, 1333), (500, 1333), (600, 1333)],
                    keep_ratio=True,
                ),
                dict(
                    type='RandomCrop',
                    crop_type='absolute_range',
                    crop_size=(384, 600),
                    allow_negative_crop=True,
                ),
                _base_.short_480_800_pipeline[2],
            ],
        ],
    ),
    dict(type='PackDetInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # A batch is upright or lengthwise. A last batch of one could not be mixed.
    batch_sampler=dict(type='AspectRatioBatchSampler', drop_last=True),
    dataset=dict(
        type='ConcatDataset',
        # The year is in the metainfo of each part; it is all that differs.
        ignore_keys=['dataset_type'],
        datasets=[
            dict(
                type='VOCDataset',
                data_root='data/VOCdevkit/',
                ann_file='VOC2007/ImageSets/Main/trainval.txt',
                data_prefix=dict(sub_data_root='VOC2007/'),
                filter_cfg=dict(filter_empty_gt=True, min_size=32),
                pipeline=pipeline,
            ),
            dict(
                type='VOCDataset',
                data_root='data/VOCdevkit/',
                ann_file='VOC2012/ImageSets/Main/trainval.txt',
                data_prefix=dict(sub_data_root='VOC2012/'),
                filter_cfg=dict(filter_empty_gt=True, min_size=32),
                pipeline=pipeline,
            ),
        ],
    ),
)
# Left behind, they would look like settings and change nothing.
del pipeline
del _base_.short_480_800_pipeline, _base_.short_640_800_pipeline

val_dataloader = dict(
    batch_size=1,  # images differ in size, and padding would change their features
    dataset=dict(
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(1333, 800), keep_ratio=True),
            *_base_.val_dataloader.dataset.pipeline[2:],
        ]
    ),
)
test_dataloader = val_dataloader
