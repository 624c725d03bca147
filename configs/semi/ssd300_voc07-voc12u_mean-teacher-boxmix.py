# SSD300 (VGG-16), VOC07 trainval labelled, VOC12 trainval unlabelled -> VOC07 test:
# mean teacher with BoxMix. 8 GPUs x 8 images.
_base_ = [
    '../_base_/models/mean-teacher_ssd300.py',
    '../_base_/datasets/voc07-voc12u_expand-crop.py',
    '../_base_/schedules/semi_120k.py',
    '../_base_/mixes/boxmix.py',
]

model = dict(
    mixers=dict(sup=_base_.mix, unsup=_base_.mix, cross=_base_.mix),
    detector=dict(
        bbox_head=dict(
            num_classes=20,
            anchor_generator=dict(basesize_ratio_range=(0.2, 0.9)),
        )
    ),
)
default_hooks = dict(checkpoint=dict(save_best='teacher/pascal_voc/mAP'))
env_cfg = dict(cudnn_benchmark=True)  # one input size
