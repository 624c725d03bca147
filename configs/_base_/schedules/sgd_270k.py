# The COCO schedule of the LossMix paper, sec. 4.1 and suppl. B, for 8 GPUs x 8
# images. "Default" values are those of Detectron2: the steps of its 3x schedule, the
# momentum and the weight decay, from which norm layers are exempt.
_base_ = '../default_runtime.py'

# 270,000 x 64 images are about 146 epochs. The paper reports the best checkpoint and
# does not say how many were tested.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=270000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.08, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(norm_decay_mult=0.0),
)
param_scheduler = [
    # warm-up
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', milestones=[210000, 250000], gamma=0.1, by_epoch=False),
]
auto_scale_lr = dict(enable=False, base_batch_size=64)  # 8 GPUs x 8

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
log_processor = dict(by_epoch=False)
