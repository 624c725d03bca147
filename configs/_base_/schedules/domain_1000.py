# 400 iterations of warm-up and 600 of adaptation for 4 source + 4 target digits images,
# meant to take SSD about five minutes on one core.
_base_ = './adamw_800.py'

train_cfg = dict(max_iters=1000, val_interval=500)
val_cfg = dict(type='TeacherStudentValLoop')

optim_wrapper = dict(
    type='SkipNonFiniteOptimWrapper', clip_grad=dict(max_norm=35.0, norm_type=2)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=1000, begin=0, end=1000, by_epoch=False),
]

# the student's mAP during warm-up, then the teacher's
default_hooks = dict(checkpoint=dict(save_best='current/pascal_voc/mAP'))
custom_hooks = [
    # without CheckInvalidLossHook, which would end the run where a step is skipped
    _base_.custom_hooks[0],
    _base_.custom_hooks[2],
    # A teacher averages over 1 / momentum = 100 students, as a run is so short.
    dict(type='MixTeacherHook', momentum=0.01, burn_in=400),
    dict(type='DomainTeacherHook'),
    dict(type='DivergenceWatchHook'),
    dict(type='TeacherPreviewHook'),  # in the place of MixPreviewHook
    *_base_.custom_hooks[4:],
]
