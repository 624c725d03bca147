# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Clipart1k: Adaptive Teacher, without mixing.
# 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-clipart_short-600.py',
    '../_base_/schedules/domain_60k.py',
]

model = dict(
    semi_train_cfg=dict(lambda_nst=0.0, lambda_mst=0.0),
    mixers=None,
)
