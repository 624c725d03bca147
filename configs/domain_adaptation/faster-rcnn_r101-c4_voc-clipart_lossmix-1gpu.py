# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Clipart1k: the mixed-domain teacher of
# LossMix, small batch. 1 GPU x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-clipart_short-600.py',
    '../_base_/schedules/domain_60k_1gpu.py',
    '../_base_/mixes/lossmix.py',
]

model = dict(
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
