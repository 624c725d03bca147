# Faster R-CNN (ResNet-50 FPN) on VOC07+12 with Union. 8 GPUs x 8 images.
# Pairs: the batch with itself shuffled, as in suppl. A of the LossMix paper.
_base_ = ['./faster-rcnn_r50_voc.py', './_base_/mixes/union.py']

model = dict(
    data_preprocessor=dict(batch_augments=[dict(_base_.mix, pairing='permutation')])
)
