# VOC07+12 trainval (16,551 images), one pass an epoch, the shorter side resized to
# 600 in training and in testing, for 2 images a GPU. These are the sizes of the code
# that the CutMix supplement names in sec. C (github.com/jwyang/faster-rcnn.pytorch).
_base_ = './voc07_test.py'

pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(1000, 600), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
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
del pipeline  # left behind, it would look like a setting and change nothing

val_dataloader = dict(
    batch_size=1,  # images differ in size, and padding would change their features
    dataset=dict(
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(1000, 600), keep_ratio=True),
            *_base_.val_dataloader.dataset.pipeline[2:],
        ]
    ),
)
test_dataloader = val_dataloader
