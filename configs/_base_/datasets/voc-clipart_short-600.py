# VOC07+12 trainval (16,551 images) labelled -> Clipart1k train (500) unlabelled, tested
# on Clipart1k test (500), the shorter side resized to 600, for 2 + 2 images a GPU. The
# environment variable VOC_SOURCE=voc12 takes VOC12 trainval alone as the source, as
# Adaptive Teacher does.
_base_ = ['./domain_pipelines.py', './voc_source.py', './voc07_test.py']

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(
        type='MixSourceSampler',
        batch_size=4,  # that of the loader
        source_ratio=[2, 2],
        group_by_shape=True,
    ),
    dataset=dict(
        type='SeededDataset',
        dataset=dict(
            type='ConcatDataset',
            # All that may differ: the year of each part, the sizes of the source's, and
            # the colours of classes in pictures.
            ignore_keys=['dataset_type', 'cumulative_sizes', 'palette'],
            datasets=[
                dict(
                    type='ConcatDataset',
                    ignore_keys=['dataset_type'],
                    datasets=[
                        dict(part, pipeline=_base_.short_600_source)
                        for part in _base_.voc_source
                    ],
                ),
                dict(
                    type='Clipart1kDataset',
                    data_root='data/clipart/',
                    ann_file='ImageSets/Main/train.txt',
                    data_prefix=dict(sub_data_root=''),
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=_base_.short_600_target,
                ),
            ],
        ),
    ),
)
# Left behind, they would look like settings and change nothing.
del _base_.voc_source
del _base_.strong_steps, _base_.pack_view, _base_.source_views, _base_.target_views
del _base_.short_600_source, _base_.short_600_target

val_dataloader = dict(
    batch_size=1,  # images differ in size, and padding would change their features
    dataset=dict(
        type='Clipart1kDataset',
        data_root='data/clipart/',
        ann_file='ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root=''),
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(1333, 600), keep_ratio=True),
            *_base_.val_dataloader.dataset.pipeline[2:],
        ],
    ),
)
test_dataloader = val_dataloader

val_evaluator = [
    # By area, as in Adaptive Teacher's code, which takes the target for a VOC2012.
    dict(type='VOCStyleMetric', eval_mode='area'),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
