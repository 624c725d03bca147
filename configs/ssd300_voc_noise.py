# SSD300 (VGG-16) on VOC07+12 with Noise. 8 GPUs x 4 images.
_base_ = ['./ssd300_voc.py', './_base_/mixes/noise.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
