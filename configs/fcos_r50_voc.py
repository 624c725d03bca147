# FCOS (ResNet-50 FPN), VOC07+12 trainval -> VOC07 test. 8 GPUs x 2 images.
_base_ = [
    './_base_/models/fcos_r50.py',
    './_base_/datasets/voc_ms-480-800.py',
    './_base_/schedules/sgd_72k.py',
]

model = dict(bbox_head=dict(num_classes=20))
# mmdet's settings of FCOS
optim_wrapper = dict(
    paramwise_cfg=dict(bias_lr_mult=2.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=35, norm_type=2),
)
train_dataloader = dict(
    batch_size=2, sampler=dict(type='InfiniteSampler')
)  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
