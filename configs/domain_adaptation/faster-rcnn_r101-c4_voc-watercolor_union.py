# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Watercolor2k: the teacher with Union.
# 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-watercolor_short-600.py',
    '../_base_/schedules/domain_60k.py',
    '../_base_/mixes/union.py',
]

model = dict(
    detector=dict(
        roi_head=dict(bbox_head=dict(num_classes=6)),
    ),
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
