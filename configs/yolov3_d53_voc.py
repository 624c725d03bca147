# YOLOv3 (Darknet-53), VOC07+12 trainval -> VOC07 test. 8 GPUs x 8 images.
_base_ = [
    './_base_/models/yolov3_d53.py',
    './_base_/datasets/voc_yolov3-608.py',
    './_base_/schedules/yolov3_50k.py',
]

model = dict(bbox_head=dict(num_classes=20))
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
