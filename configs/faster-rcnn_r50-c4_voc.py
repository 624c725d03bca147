# The baseline of the CutMix supplement, sec. C: Faster R-CNN (ResNet-50, no FPN) from a
# plain ImageNet backbone. VOC07+12 trainval -> VOC07 test. 4 GPUs x 2 images.
_base_ = [
    './_base_/models/faster-rcnn_r50-c4.py',
    './_base_/datasets/voc_short-600.py',
    './_base_/schedules/sgd_120k_faster-rcnn.py',
]

train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
