# YOLOv3 (Darknet-53), COCO train2017 -> val2017, as mmdet trains it. 8 GPUs x 8 images.
_base_ = [
    './_base_/models/yolov3_d53.py',
    './_base_/datasets/coco_yolov3-608.py',
    './_base_/schedules/yolov3_273e.py',
]

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
