# The same animals in 224 x 224 pixels.
_base_ = './voc-animals_flip.py'

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageOnce'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='Resize', scale=(224, 224), keep_ratio=False),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackDetInputs'),
        ]
    )
)
val_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageOnce'),
            dict(type='Resize', scale=(224, 224), keep_ratio=False),
            *_base_.val_dataloader.dataset.pipeline[2:],
        ]
    )
)
test_dataloader = dict(dataset=dict(pipeline=val_dataloader['dataset']['pipeline']))
