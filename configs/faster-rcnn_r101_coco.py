# The baseline of the LossMix paper, Table 2: Faster R-CNN (ResNet-101 FPN), COCO
# train2017 -> val2017, sec. 4.1 and suppl. B. 8 GPUs x 8 images.
_base_ = [
    './_base_/models/faster-rcnn_r101.py',
    './_base_/datasets/coco_ms-640-800.py',
    './_base_/schedules/sgd_270k.py',
]

train_dataloader = dict(sampler=dict(type='InfiniteSampler'))  # counts iterations
default_hooks = dict(checkpoint=dict(save_best='coco/AP'))  # AP, as in Table 2
