# Registers the types of mmmix, also under mmdet's own tools.
custom_imports = dict(imports=['mmmix'], allow_failed_imports=False)
default_scope = 'mmdet'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # A leaf names the metric of save_best. The best checkpoint is for looking at
    # detections; reported figures are those of the last one.
    checkpoint=dict(
        type='CheckpointHook', interval=1, max_keep_ckpts=3, rule='greater'
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='DetVisualizationHook'),
    report=dict(type='RunReportHook'),
)
custom_hooks = [
    dict(type='ClassCountHook'),
    dict(type='CheckInvalidLossHook', interval=50, priority='VERY_LOW'),
    # Mixes from the first iteration to the last; LossMix-Partial, for one, stops
    # early: --cfg-options custom_hooks.2.last=2000
    dict(type='MixScheduleHook'),
    dict(type='MixPreviewHook'),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
visualizer = dict(
    type='DetLocalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
