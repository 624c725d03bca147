# The digits demo: a small Faster R-CNN from scratch. 1 GPU (or CPU) x 16 images.
_base_ = [
    '../_base_/models/faster-rcnn160-r18.py',
    '../_base_/datasets/digits.py',
    '../_base_/schedules/digits_20e.py',
]

default_hooks = dict(
    logger=dict(interval=20), checkpoint=dict(save_best='pascal_voc/mAP')
)
