# 100 iterations of warm-up and 400 of adaptation for 4 source + 4 target digits images,
# from a detector trained on the source; about five minutes on one core for SSD.
_base_ = './adamw_800.py'

train_cfg = dict(max_iters=500, val_interval=250)
val_cfg = dict(type='TeacherStudentValLoop')

optim_wrapper = dict(
    type='SkipNonFiniteOptimWrapper',
    optimizer=dict(lr=1e-3),
    clip_grad=dict(max_norm=35.0, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', T_max=500, begin=0, end=500, by_epoch=False),
]

# the student's mAP during warm-up, then the teacher's
default_hooks = dict(checkpoint=dict(interval=125, save_best='current/pascal_voc/mAP'))
custom_hooks = [
    # without CheckInvalidLossHook, which would end the run where a step is skipped
    _base_.custom_hooks[0],
    _base_.custom_hooks[2],
    # A teacher averages over 1 / momentum = 100 students, as a run is so short.
    dict(type='MixTeacherHook', momentum=0.01, burn_in=100),
    dict(type='DomainTeacherHook'),
    dict(type='DivergenceWatchHook'),
    dict(type='TeacherPreviewHook'),  # in the place of MixPreviewHook
    *_base_.custom_hooks[4:],
]
