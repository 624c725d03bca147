# SSD300 (ResNet-50) from an ImageNet backbone that was trained with CutMix: the
# transfer recipe of the CutMix supplement, sec. C. VOC07+12 trainval -> VOC07 test.
# 8 GPUs x 4 images.
_base_ = [
    './_base_/models/ssd300-r50.py',
    './_base_/datasets/voc_expand-crop.py',
    './_base_/schedules/sgd_120k.py',
]

model = dict(
    # The backbone is yours to give: put it here, or name another file with
    # --cfg-options model.backbone.init_cfg.checkpoint=FILE
    backbone=dict(init_cfg=dict(checkpoint='checkpoints/resnet50_cutmix.pth')),
    bbox_head=dict(
        num_classes=20, anchor_generator=dict(basesize_ratio_range=(0.2, 0.9))
    ),
)
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
env_cfg = dict(cudnn_benchmark=True)  # one input size
