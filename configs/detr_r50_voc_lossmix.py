# DETR (ResNet-50) on VOC07+12 with LossMix. 8 GPUs x 2 images.
_base_ = ['./detr_r50_voc.py', './_base_/mixes/lossmix.py']

model = dict(
    type='LossMixDetector',
    detector='DETR',
    # Whole losses are weighted, so the images of a batch share their weights.
    data_preprocessor=dict(batch_augments=[dict(_base_.mix, lam_per='batch')]),
)
