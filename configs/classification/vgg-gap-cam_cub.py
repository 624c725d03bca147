# VGG-GAP on CUB-200-2011: localisation of CutMix, suppl. B.1. 1 GPU x 32 images.
_base_ = [
    './_base_/models/vgg-gap-cam.py',
    './_base_/datasets/cub.py',
    './_base_/schedules/cub_600e_vgg.py',
    './_base_/default_runtime.py',
]

model = dict(data_preprocessor=dict(num_classes=200), head=dict(num_classes=200))
