# The digits demo with 50 labelled images and no others: Faster R-CNN.
# 1 GPU (or CPU) x 8 images.
_base_ = [
    '../_base_/models/faster-rcnn160-r18.py',
    '../_base_/datasets/digits-semi_labelled.py',
    '../_base_/schedules/adamw_800.py',
]

default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
