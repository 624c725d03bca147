# YOLOv3 for photographs of 160 x 160 pixels on a pretrained EfficientNet-Lite0, whose
# layers up to a stride of 8 stay as they are: levels of 5, 10 and 20 cells, 1575
# anchors.
_base_ = ['./yolov3_d53.py', './lite0_parts.py']

model = dict(
    data_preprocessor=_base_.lite0_preprocessor,
    backbone=dict(_base_.lite0_backbone, out_indices=(3, 4, 5)),
    neck=dict(in_channels=[320, 112, 40], out_channels=[128, 96, 64]),
    bbox_head=dict(
        num_classes=6,
        in_channels=[128, 96, 64],
        out_channels=[192, 128, 96],
        # k-means, by IoU, of the boxes of 300 training images
        anchor_generator=dict(
            base_sizes=[
                [(90, 97), (106, 140), (148, 142)],
                [(28, 74), (63, 68), (52, 119)],
                [(13, 12), (18, 45), (39, 35)],
            ]
        ),
    ),
    # Each image has its 100 boxes above these thresholds, over-fitted or not.
    test_cfg=dict(conf_thr=0.001, score_thr=0.001),
)
del _base_.lite0_preprocessor, _base_.lite0_backbone
