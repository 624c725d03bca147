# VOC07 test, for validation and for testing, at 300 x 300. A dataset file with
# another size puts its own Resize in the pipeline.
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOCDataset',
        data_root='data/VOCdevkit/',
        ann_file='VOC2007/ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        test_mode=True,
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(300, 300), keep_ratio=False),
            # after Resize: the boxes stay in the image's own pixels
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                type='PackDetInputs',
                # CocoStyleMetric reads the annotations from 'instances'.
                meta_keys=(
                    'img_id',
                    'img_path',
                    'ori_shape',
                    'img_shape',
                    'scale_factor',
                    'instances',
                ),
            ),
        ],
    ),
)
test_dataloader = val_dataloader

val_evaluator = [
    # VOC07 is scored at 11 recalls; only later years use the area ('area').
    dict(type='VOCStyleMetric', eval_mode='11points'),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
