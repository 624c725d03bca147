# SSD300 (VGG-16), VOC07+12 -> Clipart1k: Adaptive Teacher, without mixing.
# 4 GPUs x 8 images.
_base_ = [
    '../_base_/models/domain-teacher_ssd300.py',
    '../_base_/datasets/voc-clipart_expand-crop.py',
    '../_base_/schedules/domain_60k_ssd300.py',
]

model = dict(
    detector=dict(
        bbox_head=dict(
            num_classes=20, anchor_generator=dict(basesize_ratio_range=(0.2, 0.9))
        )
    ),
    semi_train_cfg=dict(lambda_nst=0.0, lambda_mst=0.0),
    mixers=None,
)
env_cfg = dict(cudnn_benchmark=True)  # one input size
