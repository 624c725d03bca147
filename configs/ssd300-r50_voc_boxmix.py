# SSD300 (ResNet-50) on VOC07+12 with BoxMix. 8 GPUs x 4 images.
_base_ = ['./ssd300-r50_voc.py', './_base_/mixes/boxmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
