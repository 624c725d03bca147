# VOC07 trainval alone (5,011 images), one pass an epoch, for 4 images a GPU.
_base_ = ['./ssd300_pipelines.py', './voc07_test.py']

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    # A last batch of one image could not be mixed.
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VOCDataset',
        data_root='data/VOCdevkit/',
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        # No bbox_min_size, which mmdet's VOC base has and its SSD
        # configs have not: small objects are learned too.
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=_base_.crop_pipeline,
    ),
)
del _base_.crop_pipeline, _base_.expand_crop_pipeline
