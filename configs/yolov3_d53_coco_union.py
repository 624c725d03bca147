# YOLOv3 (Darknet-53) on COCO with Union. 8 GPUs x 8 images.
_base_ = ['./yolov3_d53_coco.py', './_base_/mixes/union.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
