# VOC07 trainval (5,011 images) labelled and VOC12 trainval (11,540) unlabelled, for
# YOLOv3 and 4 + 4 images a GPU. Labelled images are augmented as without a teacher.
_base_ = ['./semi_pipelines.py', './yolov3_pipelines.py', './voc07_test.py']

# the sizes of the labelled images
resize = _base_.yolov3_pipeline[4]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(
        type='MixSourceSampler',
        batch_size=8,  # that of the loader
        source_ratio=[4, 4],
        group_by_shape=True,
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
                        *_base_.yolov3_pipeline[:-1],
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
del _base_.yolov3_pipeline
del _base_.labelled_pipeline, _base_.unlabelled_pipeline
del _base_.weak_view, _base_.strong_view

val_dataloader = dict(
    batch_size=1,  # images differ in size, and padding would change their features
    dataset=dict(
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(608, 608), keep_ratio=True),
            *_base_.val_dataloader.dataset.pipeline[2:],
        ]
    ),
)
test_dataloader = val_dataloader
