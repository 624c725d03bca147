# The digits demo with Noise. 1 GPU (or CPU) x 16 images.
_base_ = ['./ssd_digits.py', '../_base_/mixes/noise.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
