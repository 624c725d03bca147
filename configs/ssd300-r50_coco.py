# The baseline of the BoxMix paper, Table 2: SSD300 (ResNet-50), COCO train2017 ->
# val2017, sec. 4.1. 8 GPUs x 4 images.
_base_ = [
    './_base_/models/ssd300-r50.py',
    './_base_/datasets/coco_crop.py',
    './_base_/schedules/adam_120e.py',
]

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
env_cfg = dict(cudnn_benchmark=True)  # one input size
