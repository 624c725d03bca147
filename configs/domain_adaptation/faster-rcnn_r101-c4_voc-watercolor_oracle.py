# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Watercolor2k: the target with its labels.
# 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-watercolor_short-600_oracle.py',
    '../_base_/schedules/domain_60k.py',
]

model = dict(
    detector=dict(roi_head=dict(bbox_head=dict(num_classes=6))),
    semi_train_cfg=dict(
        lambda_nst=0.0, lambda_mtt=0.0, lambda_mst=0.0, lambda_disc=0.0
    ),
    mixers=None,
)
