# The schedule of Unbiased Teacher on VOC07 and VOC12 (voc07_voc12.yaml of
# github.com/facebookresearch/unbiased-teacher), 16 labelled + 16 unlabelled images:
# 8 GPUs x (2 + 2). What it leaves to Detectron2 is Detectron2's.
_base_ = '../default_runtime.py'

train_cfg = dict(type='IterBasedTrainLoop', max_iters=180000, val_interval=5000)
val_cfg = dict(type='TeacherStudentValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    # warm-up; the rate then stays, but for the last ten iterations
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', milestones=[179990, 179995], gamma=0.1, by_epoch=False),
]
auto_scale_lr = dict(enable=False, base_batch_size=32)  # 8 GPUs x (2 + 2)

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=5000))
custom_hooks = [
    # TeacherPreviewHook is in the place of MixPreviewHook
    *_base_.custom_hooks[:3],
    # EMA_KEEP_RATE and BURN_UP_STEP
    dict(type='MixTeacherHook', momentum=0.001, burn_in=30000),
    dict(type='TeacherPreviewHook'),
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]
log_processor = dict(by_epoch=False)
