# The two training pipelines of SSD300, for the dataset files beside this one. Each
# takes one and deletes both names: a pipeline left behind in a config would look
# like a setting and change nothing.

# The augmentation of the BoxMix paper, sec. 4.1: random crop, a resize to 300 x 300
# that does not keep the aspect ratio, flip, colour jitter. What the paper does not
# give is as in SSD (arXiv:1512.02325).
crop_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='MinIoURandomCrop', min_ious=(0.1, 0.3, 0.5, 0.7, 0.9), min_crop_size=0.3
    ),
    dict(type='Resize', scale=(300, 300), keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='PhotoMetricDistortion',
        brightness_delta=32,
        contrast_range=(0.5, 1.5),
        saturation_range=(0.5, 1.5),
        hue_delta=18,
    ),
    dict(type='PackDetInputs'),
]

# The augmentation of SSD, sec. 3.6: the same, after half of the images were put on a
# canvas of up to four times their side.
expand_crop_pipeline = [
    *crop_pipeline[:2],
    dict(
        type='Expand', mean=[123.675, 116.28, 103.53], to_rgb=True, ratio_range=(1, 4)
    ),
    *crop_pipeline[2:],
]
