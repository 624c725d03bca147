# SSD300 (ResNet-50) on COCO with BoxStack. 8 GPUs x 4 images.
_base_ = ['./ssd300-r50_coco.py', './_base_/mixes/boxstack.py']

model = dict(data_preprocessor=dict(batch_augments=[_base_.mix]))
