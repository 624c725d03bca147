# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Clipart1k: the teacher with Union, to the
# letter of the paper. 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-clipart_short-600_crop.py',
    '../_base_/schedules/domain_60k_paper.py',
    '../_base_/mixes/union.py',
]

model = dict(
    # no ramp, and no batch is skipped
    semi_train_cfg=dict(disc_ramp_up=0, empty_batch='background'),
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
