# 360 iterations with a teacher, as many and as many images as photos_60e.py on 100
# photographs: 1 GPU (or CPU) x 16, half of them unlabelled.
_base_ = './adamw_800.py'

train_cfg = dict(max_iters=360, val_interval=360)
val_cfg = dict(type='TeacherStudentValLoop')
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.2))),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', T_max=360, begin=0, end=360, by_epoch=False),
]
auto_scale_lr = dict(base_batch_size=16)  # 1 x (8 + 8)
default_hooks = dict(checkpoint=dict(interval=120, max_keep_ckpts=1))
custom_hooks = [
    *_base_.custom_hooks[:3],
    # A teacher averages over 1 / momentum = 50 students, as a run is so short.
    dict(type='MixTeacherHook', momentum=0.02, burn_in=150),
    dict(type='TeacherPreviewHook'),  # in the place of MixPreviewHook
    *_base_.custom_hooks[4:],
    dict(type='ChannelsLastHook'),
]
