# PreAct ResNet-18, a quarter as wide, that a CPU trains at 64 px: 4 x 4 cells, as the
# poster's R-18 has on CIFAR.
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='PreActResNet',
        depth=18,
        base_channels=16,
        stem_stride=2,
        strides=(2, 2, 2, 1),
    ),
    head=dict(
        type='CAMHead',
        num_classes=6,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss'),
    ),
    data_preprocessor=dict(
        num_classes=6,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
)
