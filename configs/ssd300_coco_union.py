# SSD300 (VGG-16) on COCO with Union. 8 GPUs x 4 images.
_base_ = ['./ssd300_coco.py', './_base_/mixes/union.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
