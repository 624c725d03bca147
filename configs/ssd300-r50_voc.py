# The baseline of the BoxMix paper, Table 1: SSD300 (ResNet-50), VOC07+12 trainval ->
# VOC07 test, sec. 4.1. 8 GPUs x 4 images.
_base_ = [
    './_base_/models/ssd300-r50.py',
    './_base_/datasets/voc_crop.py',
    './_base_/schedules/adam_120e.py',
]

model = dict(
    bbox_head=dict(
        num_classes=20, anchor_generator=dict(basesize_ratio_range=(0.2, 0.9))
    )
)
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
env_cfg = dict(cudnn_benchmark=True)  # one input size
