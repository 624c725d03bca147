# For the one-stage detectors on VOC, 8 GPUs x 2 images: as many images as Faster R-CNN
# sees (18,000 x 64) with its steps, at the batch size, rate and warm-up of mmdet's
# RetinaNet and FCOS.
_base_ = '../default_runtime.py'

train_cfg = dict(type='IterBasedTrainLoop', max_iters=72000, val_interval=4000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    # warm-up
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[48000, 64000], gamma=0.1, by_epoch=False),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)  # 8 GPUs x 2

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=4000))
log_processor = dict(by_epoch=False)
