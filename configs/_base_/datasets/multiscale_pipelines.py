# Multi-scale training as in the LossMix paper, suppl. B: the shorter side of each image
# is drawn from a range with a step of 32, the longer one is at most 1333; flip. A
# dataset file beside this one takes one pipeline and deletes both names.

# For VOC: 480, 512, ..., 800.
short_480_800_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='RandomChoiceResize',
        scales=[
            (1333, 480),
            (1333, 512),
            (1333, 544),
            (1333, 576),
            (1333, 608),
            (1333, 640),
            (1333, 672),
            (1333, 704),
            (1333, 736),
            (1333, 768),
            (1333, 800),
        ],
        keep_ratio=True,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]

# For COCO: 640, 672, ..., 800.
short_640_800_pipeline = [
    *short_480_800_pipeline[:2],
    dict(
        type='RandomChoiceResize',
        scales=[
            (1333, 640),
            (1333, 672),
            (1333, 704),
            (1333, 736),
            (1333, 768),
            (1333, 800),
        ],
        keep_ratio=True,
    ),
    *short_480_800_pipeline[3:],
]
