# COCO train2017 (117,266 images with boxes), one pass an epoch, multi-scale, for 8
# images a GPU.
_base_ = ['./multiscale_pipelines.py', './coco_val.py']

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # As in Detectron2, a batch is upright or lengthwise: little padding, and images
    # that are mixed have similar shapes. A last batch of one could not be mixed.
    batch_sampler=dict(type='AspectRatioBatchSampler', drop_last=True),
    dataset=dict(
        type='CocoDataset',
        data_root='data/coco/',
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=_base_.short_640_800_pipeline,
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
