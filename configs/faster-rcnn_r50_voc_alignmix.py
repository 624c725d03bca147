# Faster R-CNN (ResNet-50 FPN) on VOC07+12 with AlignMix. 8 GPUs x 8 images.
_base_ = ['./faster-rcnn_r50_voc.py', './_base_/mixes/alignmix.py']

model = dict(
    type='AlignMix',
    detector='FasterRCNN',
    level=3,  # the plan is made between cells of P5
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
