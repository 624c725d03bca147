# YOLOv3 (Darknet-53) on VOC07+12 with CutMix. 8 GPUs x 8 images.
# As in alg. A1: the batch with itself shuffled, one ratio and one region for all of it.
_base_ = ['./yolov3_d53_voc.py', './_base_/mixes/cutmix.py']

model = dict(
    data_preprocessor=dict(
        batch_augments=[dict(_base_.mix, pairing='permutation', lam_per='batch')]
    )
)
