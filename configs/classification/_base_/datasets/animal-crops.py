# Crops of six animals of VOC photographs, which tools/dataset_converters/
# make_object_crops.py writes, at 64 px.
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(
        type='BoxedImages',
        data_root='data/animal_crops',
        ann_file='annotations/train.json',
        data_prefix=dict(img_path='images/train'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(72, 72)),
            dict(type='RandomCrop', crop_size=64),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs'),
        ],
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(
        type='BoxedImages',
        data_root='data/animal_crops',
        ann_file='annotations/val.json',
        data_prefix=dict(img_path='images/val'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(64, 64)),
            dict(type='PackInputs', algorithm_keys=('gt_bboxes',)),
        ],
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = [dict(type='Accuracy', topk=(1,)), dict(type='LocalizationMetric')]
test_dataloader = dict(
    val_dataloader,
    dataset=dict(
        val_dataloader['dataset'],
        ann_file='annotations/test.json',
        data_prefix=dict(img_path='images/test'),
    ),
)
test_evaluator = val_evaluator
