# A small YOLOv3 for 160 x 160 pixels that learns from scratch in minutes on a CPU:
# ResNet-18 of 24 base channels instead of Darknet, levels of 5, 10 and 20 cells, 1575
# anchors.
_base_ = './yolov3_d53.py'

model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        base_channels=24,
        out_indices=(1, 2, 3),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
    ),
    neck=dict(in_channels=[192, 96, 48], out_channels=[96, 64, 48]),
    bbox_head=dict(
        num_classes=10,
        in_channels=[96, 64, 48],
        out_channels=[128, 96, 64],
        # An anchor half of which lies in a box to ignore is no negative. The labels of
        # the digits have none of these, those of a teacher do.
        ignore_iof_thr=0.5,
        # k-means of the training boxes after the random crop
        anchor_generator=dict(
            base_sizes=[
                [(39, 65), (49, 66), (57, 86)],
                [(30, 42), (28, 57), (35, 51)],
                [(17, 27), (21, 35), (25, 37)],
            ]
        ),
    ),
)
