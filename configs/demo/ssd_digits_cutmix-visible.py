# The digits demo with CutMix and clipped boxes. 1 GPU (or CPU) x 16 images.
_base_ = ['./ssd_digits.py', '../_base_/mixes/cutmix-visible.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
