# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Watercolor2k: the mixed-domain teacher of
# LossMix, small batch. 1 GPU x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-watercolor_short-600.py',
    '../_base_/schedules/domain_60k_1gpu.py',
    '../_base_/mixes/lossmix.py',
]

model = dict(
    detector=dict(
        roi_head=dict(bbox_head=dict(num_classes=6)),
    ),
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
