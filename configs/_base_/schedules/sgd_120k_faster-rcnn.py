# The Faster R-CNN schedule of the CutMix supplement, sec. C, for 4 GPUs x 2 images.
# Momentum and weight decay, from which biases are exempt, are those of the code that it
# names, github.com/jwyang/faster-rcnn.pytorch, which has no warm-up either.
_base_ = '../default_runtime.py'

train_cfg = dict(type='IterBasedTrainLoop', max_iters=120000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(bias_decay_mult=0.0),
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[100000], gamma=0.1, by_epoch=False)
]
auto_scale_lr = dict(enable=False, base_batch_size=8)  # 4 GPUs x 2

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
log_processor = dict(by_epoch=False)
