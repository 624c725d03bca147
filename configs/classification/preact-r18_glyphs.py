# A small PreAct ResNet-18 on enlarged digits. 1 GPU (or CPU) x 32 images.
_base_ = [
    './_base_/models/preact-r18-small_cam.py',
    './_base_/datasets/glyphs.py',
    './_base_/schedules/small_30e.py',
    './_base_/default_runtime.py',
]

model = dict(
    backbone=dict(stem_stride=1),
    data_preprocessor=dict(num_classes=10),
    head=dict(num_classes=10),
)
