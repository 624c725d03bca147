# SSD300 (VGG-16) on VOC07+12 with AlignMix. 8 GPUs x 4 images.
_base_ = ['./ssd300_voc.py', './_base_/mixes/alignmix.py']

model = dict(
    type='AlignMix',
    detector='SingleStageDetector',
    level=2,  # the plan is made between 10 x 10 cells
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
