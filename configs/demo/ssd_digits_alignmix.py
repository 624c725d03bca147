# The digits demo with AlignMix. 1 GPU (or CPU) x 16 images.
_base_ = ['./ssd_digits.py', '../_base_/mixes/alignmix.py']

model = dict(
    type='AlignMix',
    detector='SingleStageDetector',
    level=1,  # the plan is made between 10 x 10 cells
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
