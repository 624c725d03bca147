# The schedule of SSD300 in sgd_120k.py, with a teacher, for 8 GPUs x (4 labelled + 4
# unlabelled images).
_base_ = './sgd_120k.py'

val_cfg = dict(type='TeacherStudentValLoop')
auto_scale_lr = dict(base_batch_size=64)  # 8 GPUs x (4 + 4)
custom_hooks = [
    # TeacherPreviewHook is in the place of MixPreviewHook
    *_base_.custom_hooks[:3],
    # The burn-in of CrossRectify's SSD300, which has no moving average, and the
    # momentum of Unbiased Teacher on VOC.
    dict(type='MixTeacherHook', momentum=0.001, burn_in=12000),
    dict(type='TeacherPreviewHook'),
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]
