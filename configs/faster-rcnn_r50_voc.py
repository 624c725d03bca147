# The baseline of the LossMix paper, Table 1: Faster R-CNN (ResNet-50 FPN), VOC07+12
# trainval -> VOC07 test, sec. 4.1 and suppl. B. 8 GPUs x 8 images.
_base_ = [
    './_base_/models/faster-rcnn_r50.py',
    './_base_/datasets/voc_ms-480-800.py',
    './_base_/schedules/sgd_18k.py',
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=20)))
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))  # AP50, as in Table 1
