# RetinaNet (ResNet-50 FPN) on VOC07+12 with LossMix. 8 GPUs x 2 images.
_base_ = ['./retinanet_r50_voc.py', './_base_/mixes/lossmix.py']

model = dict(data_preprocessor=dict(batch_augments=[_base_.mix]))
