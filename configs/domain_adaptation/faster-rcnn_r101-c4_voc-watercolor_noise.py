# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Watercolor2k: the teacher with Noise.
# 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-watercolor_short-600.py',
    '../_base_/schedules/domain_60k.py',
]

model = dict(
    detector=dict(roi_head=dict(bbox_head=dict(num_classes=6))),
    # The same noise in both phases, and the labels of the source alone.
    mixers=dict(mst=_base_.model.mixers.nst),
)
