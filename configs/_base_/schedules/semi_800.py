# The same 800 iterations with a teacher, for 8 labelled + 8 unlabelled images.
_base_ = './adamw_800.py'

val_cfg = dict(type='TeacherStudentValLoop')
auto_scale_lr = dict(base_batch_size=16)  # 1 x (8 + 8)
custom_hooks = [
    *_base_.custom_hooks[:3],
    # A teacher averages over 1 / momentum = 100 students, as a run is so short.
    dict(type='MixTeacherHook', momentum=0.01, burn_in=400),
    dict(type='TeacherPreviewHook'),  # in the place of MixPreviewHook
    *_base_.custom_hooks[4:],
]
