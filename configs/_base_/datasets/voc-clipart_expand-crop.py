# VOC07+12 trainval (16,551 images) labelled -> Clipart1k train (500) unlabelled, tested
# on Clipart1k test (500), for SSD300 and 4 + 4 images a GPU. Source images are enlarged
# and cropped as in SSD before they become views. VOC_SOURCE as in voc_source.py.
_base_ = [
    './domain_pipelines.py',
    './voc_source.py',
    './ssd300_pipelines.py',
    './voc07_test.py',
]

# without SSD's own change of colours
source_pipeline = [*_base_.expand_crop_pipeline[:-2], _base_.source_views]
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
            # All that may differ: the year of each part, the sizes of the source's, and
            # the colours of classes in pictures.
            ignore_keys=['dataset_type', 'cumulative_sizes', 'palette'],
            datasets=[
                dict(
                    type='ConcatDataset',
                    ignore_keys=['dataset_type'],
                    datasets=[
                        dict(part, pipeline=source_pipeline)
                        for part in _base_.voc_source
                    ],
                ),
                dict(
                    type='Clipart1kDataset',
                    data_root='data/clipart/',
                    ann_file='ImageSets/Main/train.txt',
                    data_prefix=dict(sub_data_root=''),
                    filter_cfg=dict(filter_empty_gt=False),
                    pipeline=[
                        *_base_.short_600_target[:2],
                        *_base_.expand_crop_pipeline[4:6],  # resize, flip
                        _base_.target_views,
                    ],
                ),
            ],
        ),
    ),
)
# Left behind, they would look like settings and change nothing.
del source_pipeline, _base_.voc_source
del _base_.strong_steps, _base_.pack_view, _base_.source_views, _base_.target_views
del _base_.short_600_source, _base_.short_600_target
del _base_.crop_pipeline, _base_.expand_crop_pipeline

val_dataloader = dict(
    dataset=dict(
        type='Clipart1kDataset',
        data_root='data/clipart/',
        ann_file='ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root=''),
    )
)
test_dataloader = val_dataloader

val_evaluator = [
    # by area, as in voc-clipart_short-600.py
    dict(type='VOCStyleMetric', eval_mode='area'),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
