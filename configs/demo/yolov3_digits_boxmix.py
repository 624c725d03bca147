# The digits demo: YOLOv3 with BoxMix. 1 GPU (or CPU) x 16 images.
_base_ = ['./yolov3_digits.py', '../_base_/mixes/boxmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[_base_.mix]),
)
