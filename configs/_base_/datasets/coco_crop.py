# COCO train2017 (117,266 images with boxes), one pass an epoch, for 4 images a GPU.
_base_ = ['./ssd300_pipelines.py', './coco_val.py']

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    # A last batch of one image could not be mixed.
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CocoDataset',
        data_root='data/coco/',
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=_base_.crop_pipeline,
    ),
)
del _base_.crop_pipeline, _base_.expand_crop_pipeline
