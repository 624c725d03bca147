# Faster R-CNN (ResNet-50 FPN) on VOC07+12 with CutMix. 8 GPUs x 8 images.
# As in alg. A1: the batch with itself shuffled, one ratio and one region for all of it.
_base_ = ['./faster-rcnn_r50_voc.py', './_base_/mixes/cutmix.py']

model = dict(
    data_preprocessor=dict(
        batch_augments=[dict(_base_.mix, pairing='permutation', lam_per='batch')]
    )
)
