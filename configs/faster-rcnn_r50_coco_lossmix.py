# Faster R-CNN (ResNet-50 FPN) on COCO with LossMix. 8 GPUs x 8 images.
# Pairs: the batch with itself shuffled, as in suppl. A of the LossMix paper.
_base_ = ['./faster-rcnn_r50_coco.py', './_base_/mixes/lossmix.py']

model = dict(
    data_preprocessor=dict(batch_augments=[dict(_base_.mix, pairing='permutation')])
)
