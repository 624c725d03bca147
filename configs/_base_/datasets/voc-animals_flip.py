# Six animals of VOC2012 (tools/dataset_converters/make_voc_animals.py), 160 x 160
# pixels, flipped and no more, as the LossMix paper augments. Select on val, report
# test.
_base_ = './voc07_test.py'

train_dataloader = dict(
    batch_size=16,
    num_workers=0,  # images stay decoded in memory
    persistent_workers=False,
    # A last batch of one image could not be mixed.
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='XMLDataset',
        data_root='data/voc-animals/',
        ann_file='ImageSets/Main/train.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=('cat', 'cow', 'dog', 'horse', 'person', 'sheep')),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=[
            dict(type='LoadImageOnce'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='Resize', scale=(160, 160), keep_ratio=False),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackDetInputs'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='XMLDataset',
        data_root='data/voc-animals/',
        ann_file='ImageSets/Main/val.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=train_dataloader['dataset']['metainfo'],
        pipeline=[
            dict(type='LoadImageOnce'),
            dict(type='Resize', scale=(160, 160), keep_ratio=False),
            *_base_.val_dataloader.dataset.pipeline[2:],
        ],
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader['dataset'], ann_file='ImageSets/Main/test.txt'),
)
