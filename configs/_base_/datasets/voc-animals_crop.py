# The same animals, cropped and with jittered colours, as SSD and the BoxMix paper
# augment.
_base_ = './voc-animals_flip.py'

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageOnce'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                type='MinIoURandomCrop',
                min_ious=(0.1, 0.3, 0.5, 0.7, 0.9),
                min_crop_size=0.3,
            ),
            dict(type='Resize', scale=(160, 160), keep_ratio=False),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackDetInputs'),
        ]
    )
)
