# The digits demo, mixed on the largest anchors only. 1 GPU (or CPU) x 16 images.
_base_ = ['./ssd_digits.py', '../_base_/mixes/boxmix-level.py']

model = dict(
    type='LevelMixDetector',
    mixer=_base_.mix,
    bbox_head=dict(type='LevelMixSSDHead', mix_levels=[2]),
)
