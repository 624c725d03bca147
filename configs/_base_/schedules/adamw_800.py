# 800 iterations for a few labelled digits, with the learning rates of digits_30e.py.
_base_ = '../default_runtime.py'

train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=400)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=800, begin=0, end=800, by_epoch=False),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)  # 1 x 8

default_hooks = dict(
    logger=dict(interval=20), checkpoint=dict(by_epoch=False, interval=100)
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]
log_processor = dict(by_epoch=False)
