# Faster R-CNN (ResNet-50 FPN) on COCO with BoxMix. 8 GPUs x 8 images.
_base_ = ['./faster-rcnn_r50_coco.py', './_base_/mixes/boxmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
