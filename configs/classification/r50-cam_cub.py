# ResNet-50, 14 x 14 cells, on CUB-200-2011: localisation of CutMix, suppl. B.1.
# 1 GPU x 32 images.
_base_ = [
    './_base_/models/r50-cam.py',
    './_base_/datasets/cub.py',
    './_base_/schedules/cub_600e_r50.py',
    './_base_/default_runtime.py',
]

model = dict(data_preprocessor=dict(num_classes=200), head=dict(num_classes=200))
