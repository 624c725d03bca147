# Faster R-CNN (ResNet-101 FPN) on VOC07+12 with BoxMix. 8 GPUs x 8 images.
_base_ = ['./faster-rcnn_r101_voc.py', './_base_/mixes/boxmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
