# The schedule of YOLOv3 in yolov3_50k.py, with a teacher, for 8 GPUs x (4 labelled + 4
# unlabelled images).
_base_ = './yolov3_50k.py'

val_cfg = dict(type='TeacherStudentValLoop')
custom_hooks = [
    # TeacherPreviewHook is in the place of MixPreviewHook
    *_base_.custom_hooks[:3],
    # As for SSD300: the same momentum, and a tenth of the iterations as burn-in.
    dict(type='MixTeacherHook', momentum=0.001, burn_in=5000),
    dict(type='TeacherPreviewHook'),
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]
