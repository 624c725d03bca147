# SSD300 (VGG-16), COCO train2017 -> val2017. 8 GPUs x 4 images.
_base_ = [
    './_base_/models/ssd300.py',
    './_base_/datasets/coco_expand-crop.py',
    './_base_/schedules/sgd_120k.py',
]

train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
env_cfg = dict(cudnn_benchmark=True)  # one input size
