# The digits demo: Faster R-CNN with LossMix. 1 GPU (or CPU) x 16 images.
_base_ = ['./faster-rcnn_digits.py', '../_base_/mixes/lossmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
