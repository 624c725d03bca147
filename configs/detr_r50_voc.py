# DETR (ResNet-50), VOC07+12 trainval -> VOC07 test. 8 GPUs x 2 images.
_base_ = [
    './_base_/models/detr_r50.py',
    './_base_/datasets/voc_detr.py',
    './_base_/schedules/detr_150e.py',
]

model = dict(bbox_head=dict(num_classes=20))
default_hooks = dict(checkpoint=dict(save_best='pascal_voc/mAP'))
