# The schedule of SoftTeacher on COCO in mmdet's config. Its 40 images are 8 GPUs x (1
# labelled + 4 unlabelled) there and 4 GPUs x (2 + 8) here, so that labelled images can
# be mixed with each other.
_base_ = '../default_runtime.py'

train_cfg = dict(type='IterBasedTrainLoop', max_iters=180000, val_interval=5000)
val_cfg = dict(type='TeacherStudentValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    # warm-up
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[120000, 160000], gamma=0.1, by_epoch=False),
]
auto_scale_lr = dict(enable=False, base_batch_size=40)  # 4 GPUs x (2 + 8)

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
custom_hooks = [
    # TeacherPreviewHook is in the place of MixPreviewHook
    *_base_.custom_hooks[:3],
    # as MeanTeacherHook in mmdet's config
    dict(type='MixTeacherHook', momentum=0.001, burn_in=0),
    dict(type='TeacherPreviewHook'),
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]
log_processor = dict(by_epoch=False)
