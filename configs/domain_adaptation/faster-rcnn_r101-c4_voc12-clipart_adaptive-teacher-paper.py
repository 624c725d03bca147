# Faster R-CNN (ResNet-101 C4), VOC12 -> Clipart1k: Adaptive Teacher as its code has it,
# strong and weak views of the source. 4 GPUs x 4 images.
_base_ = [
    '../_base_/models/domain-teacher_faster-rcnn_r101-c4.py',
    '../_base_/datasets/voc12-clipart_short-600.py',
    '../_base_/schedules/domain_60k_paper.py',
]

model = dict(
    semi_train_cfg=dict(
        lambda_nst=0.0,
        lambda_mst=0.0,
        weak_source=True,
        # no ramp, and no batch is skipped
        disc_ramp_up=0,
        empty_batch='background',
    ),
    mixers=None,
)
