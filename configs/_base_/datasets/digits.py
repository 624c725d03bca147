# The digits of tools/dataset_converters/make_digits.py, 160 x 160, VOC layout.
# Select on val, report test.
train_dataloader = dict(
    batch_size=16,
    num_workers=1,  # loading takes a tenth of a step; the cores are for training
    persistent_workers=True,
    # A last batch of one image could not be mixed.
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='XMLDataset',
        data_root='data/digits/',
        ann_file='ImageSets/Main/train.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(
            classes=(
                'zero',
                'one',
                'two',
                'three',
                'four',
                'five',
                'six',
                'seven',
                'eight',
                'nine',
            )
        ),
        filter_cfg=dict(filter_empty_gt=True),
        # No flip: a mirrored digit is another sign.
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            # Half of the images are cropped. No IoU with the crop is asked for: glyphs
            # are too small to reach any.
            dict(type='MinIoURandomCrop', min_ious=(), min_crop_size=0.6),
            dict(type='Resize', scale=(160, 160), keep_ratio=False),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackDetInputs'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='XMLDataset',
        data_root='data/digits/',
        ann_file='ImageSets/Main/val.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=train_dataloader['dataset']['metainfo'],
        test_mode=True,
        pipeline=[
            dict(type='CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(160, 160), keep_ratio=False),
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
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader['dataset'], ann_file='ImageSets/Main/test.txt'),
)

val_evaluator = [
    # 11 recalls, as on VOC07
    dict(type='VOCMetric', metric='mAP', iou_thrs=0.5, eval_mode='11points'),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
