# SSD300 (VGG-16), VOC07+12 -> Clipart1k: the mixed-domain teacher of LossMix.
# 4 GPUs x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd300.py',
    '../_base_/datasets/voc-clipart_expand-crop.py',
    '../_base_/schedules/domain_60k_ssd300.py',
    '../_base_/mixes/lossmix.py',
]

model = dict(
    detector=dict(
        bbox_head=dict(
            num_classes=20,
            anchor_generator=dict(basesize_ratio_range=(0.2, 0.9)),
        )
    ),
    mixers=dict(mss=_base_.mix, mtt=_base_.mix, mst=_base_.mix),
)
env_cfg = dict(cudnn_benchmark=True)  # one input size
