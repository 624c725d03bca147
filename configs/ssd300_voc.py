# SSD300 (VGG-16), VOC07+12 trainval -> VOC07 test. 8 GPUs x 4 images.
_base_ = [
    './_base_/models/ssd300.py',
    './_base_/datasets/voc_expand-crop.py',
    './_base_/schedules/sgd_120k.py',
]

model = dict(
    bbox_head=dict(
        num_classes=20, anchor_generator=dict(basesize_ratio_range=(0.2, 0.9))
    )
)
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
env_cfg = dict(cudnn_benchmark=True)  # one input size
