# PyramidNet-200, α = 240, of the CutMix paper.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='PyramidNet', depth=200, alpha=240),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=1024,
        loss=dict(type='CrossEntropyLoss'),
    ),
    data_preprocessor=dict(
        num_classes=100,
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        to_rgb=False,  # CIFAR's files are RGB
    ),
)
