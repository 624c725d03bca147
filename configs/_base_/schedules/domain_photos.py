# 50 iterations of warm-up and 200 of adaptation, 1 GPU (or CPU) x 16 images, from a
# detector trained on the source.
_base_ = './adamw_800.py'

train_cfg = dict(max_iters=250, val_interval=250)
val_cfg = dict(type='TeacherStudentValLoop')
optim_wrapper = dict(
    type='SkipNonFiniteOptimWrapper',
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.2))),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', T_max=250, begin=0, end=250, by_epoch=False),
]
auto_scale_lr = dict(base_batch_size=16)  # 1 x (8 + 8)
default_hooks = dict(checkpoint=dict(interval=125, max_keep_ckpts=1))
custom_hooks = [
    # without CheckInvalidLossHook, which would end the run where a step is skipped
    _base_.custom_hooks[0],
    _base_.custom_hooks[2],
    # A teacher averages over 1 / momentum = 50 students, as a run is so short.
    dict(type='MixTeacherHook', momentum=0.02, burn_in=50),
    dict(type='DomainTeacherHook'),
    dict(type='DivergenceWatchHook'),
    dict(type='TeacherPreviewHook'),  # in the place of MixPreviewHook
    *_base_.custom_hooks[4:],
    dict(type='ChannelsLastHook'),
]
