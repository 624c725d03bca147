# A small PreAct ResNet-18 on crops of animals. 1 GPU (or CPU) x 32 images.
_base_ = [
    './_base_/models/preact-r18-small_cam.py',
    './_base_/datasets/animal-crops.py',
    './_base_/schedules/small_30e.py',
    './_base_/default_runtime.py',
]
