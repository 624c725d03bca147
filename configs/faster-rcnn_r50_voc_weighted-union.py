# Faster R-CNN (ResNet-50 FPN) on VOC07+12 with weighted union: the other reading of
# suppl. A of the LossMix paper, in which weights belong to boxes; alpha and pairs are
# those of suppl. A. 8 GPUs x 8 images.
_base_ = ['./faster-rcnn_r50_voc.py', './_base_/mixes/weighted-union.py']

model = dict(
    data_preprocessor=dict(
        batch_augments=[
            dict(_base_.mix, ratio=dict(type='Beta', alpha=1.0), pairing='permutation')
        ]
    )
)
