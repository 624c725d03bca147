# VOC07+12 trainval (16,551 images), one pass an epoch, multi-scale, for 8 images a GPU.
_base_ = ['./multiscale_pipelines.py', './voc07_test.py']

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # As in Detectron2, a batch is upright or lengthwise: little padding, and images
    # that are mixed have similar shapes. A last batch of one could not be mixed.
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
                # No bbox_min_size: the LossMix paper leaves no small objects out.
                filter_cfg=dict(filter_empty_gt=True, min_size=32),
                pipeline=_base_.short_480_800_pipeline,
            ),
            dict(
                type='VOCDataset',
                data_root='data/VOCdevkit/',
                ann_file='VOC2012/ImageSets/Main/trainval.txt',
                data_prefix=dict(sub_data_root='VOC2012/'),
                filter_cfg=dict(filter_empty_gt=True, min_size=32),
                pipeline=_base_.short_480_800_pipeline,
            ),
        ],
    ),
)
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

val_evaluator = [
    # The AP, AP50 and AP75 of the LossMix paper, Tables 1 and 3, are Detectron2's.
    dict(type='VOCStyleMetric', eval_mode='11points', over_ious=True),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
