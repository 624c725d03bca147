# 10 % of COCO train2017 labelled, the rest unlabelled, by SoftTeacher's protocol; make
# the files with tools/dataset_converters/split_semi.py. The environment variable
# SEMI_FOLD, 1 to 5, chooses the fold. For 2 + 8 images a GPU.
_base_ = ['./semi_pipelines.py', './coco_val.py']

train_dataloader = dict(
    batch_size=10,
    num_workers=5,
    persistent_workers=True,
    sampler=dict(
        type='MixSourceSampler',
        batch_size=10,  # that of the loader
        source_ratio=[2, 8],
        group_by_shape=True,
    ),
    dataset=dict(
        type='SeededDataset',
        dataset=dict(
            type='ConcatDataset',
            datasets=[
                dict(
                    type='CocoDataset',
                    data_root='data/coco/',
                    ann_file='semi_anns/instances_train2017.{{$SEMI_FOLD:1}}@10.json',
                    data_prefix=dict(img='train2017/'),
                    filter_cfg=dict(filter_empty_gt=True, min_size=32),
                    pipeline=_base_.labelled_pipeline,
                ),
                dict(
                    type='CocoDataset',
                    data_root='data/coco/',
                    ann_file='semi_anns/'
                    'instances_train2017.{{$SEMI_FOLD:1}}@10-unlabeled.json',
                    data_prefix=dict(img='train2017/'),
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=_base_.unlabelled_pipeline,
                ),
            ],
        ),
    ),
)
del _base_.labelled_pipeline, _base_.unlabelled_pipeline
del _base_.weak_view, _base_.strong_view

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
