# VOC07 trainval (5,011 images) labelled and VOC12 trainval (11,540) unlabelled, for
# SSD300 and 4 + 4 images a GPU. Labelled images are augmented as in SSD.
_base_ = ['./semi_pipelines.py', './ssd300_pipelines.py', './voc07_test.py']

resize = dict(type='Resize', scale=(300, 300), keep_ratio=False)
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(
        type='MixSourceSampler',
        batch_size=8,  # that of the loader
        source_ratio=[4, 4],
    ),
    dataset=dict(
        type='SeededDataset',
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
                    pipeline=[
                        *_base_.expand_crop_pipeline[:-1],
                        _base_.labelled_pipeline[-1],
                    ],
                ),
                dict(
                    type='UnlabelledVOCDataset',
                    data_root='data/VOCdevkit/',
                    ann_file='VOC2012/ImageSets/Main/trainval.txt',
                    data_prefix=dict(sub_data_root='VOC2012/'),
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=[
                        *_base_.unlabelled_pipeline[:2],
                        dict(
                            _base_.unlabelled_pipeline[2],
                            unsup_teacher=[resize, *_base_.weak_view[1:]],
                            unsup_student=[resize, *_base_.strong_view[1:]],
                        ),
                    ],
                ),
            ],
        ),
    ),
)
# Left behind, they would look like settings and change nothing.
del resize
del _base_.crop_pipeline, _base_.expand_crop_pipeline
del _base_.labelled_pipeline, _base_.unlabelled_pipeline
del _base_.weak_view, _base_.strong_view
