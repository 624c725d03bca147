# Faster R-CNN (ResNet-101 C4), VOC07+12 -> Clipart1k: the teacher with Noise, to the
# letter of the paper. 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc-clipart_short-600_crop.py',
    '../_base_/schedules/domain_60k_paper.py',
]

model = dict(
    # no ramp, and no batch is skipped
    semi_train_cfg=dict(disc_ramp_up=0, empty_batch='background'),
    # The same noise in both phases, and the labels of the source alone.
    mixers=dict(mst=_base_.model.mixers.nst),
)
