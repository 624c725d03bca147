"""The parts of a config with a teacher that ``mmmix init`` fills in."""

SEMI_LOADER = """\
# Half of each batch is labelled.
resize = train_pipeline[4]
train_dataloader = dict(
    batch_size={batch},
    num_workers=2,
    persistent_workers=True,
    sampler=dict(
        type='MixSourceSampler',
        batch_size={batch},  # that of the loader
        source_ratio=[{half}, {half}],
        group_by_shape={grouped},
    ),
    dataset=dict(
        type='SeededDataset',
        dataset=dict(
            type='ConcatDataset',
            datasets=[
                dict(
{train_set}
                    filter_cfg=dict(filter_empty_gt=True),
                    pipeline=[*train_pipeline[:-1], _base_.labelled_pipeline[-1]],
                ),
                dict(
                    type='YOLODataset',
                    labelled=False,
                    data_prefix=dict(img={other!r}),
                    metainfo=dict(classes=classes),
                    pipeline=[
                        *_base_.unlabelled_pipeline[:2],
                        dict(
                            _base_.unlabelled_pipeline[2],
                            unsup_teacher=[resize, *_base_.weak_view[1:]],
                            unsup_student=[resize, *_base_.strong_view[1:]],
                        ),
                    ],
                ),
            ],
        ),
    ),
)
# Left behind, they would look like settings and change nothing.
del resize
del _base_.labelled_pipeline, _base_.unlabelled_pipeline
del _base_.weak_view, _base_.strong_view
"""

DOMAIN_LOADER = """\
# Half of each batch is from the source, which is labelled.
train_dataloader = dict(
    batch_size={batch},
    num_workers=2,
    persistent_workers=True,
    sampler=dict(
        type='MixSourceSampler',
        batch_size={batch},  # that of the loader
        source_ratio=[{half}, {half}],
    ),
    dataset=dict(
        type='SeededDataset',
        dataset=dict(
            type='ConcatDataset',
            datasets=[
                dict(
{train_set}
                    filter_cfg=dict(filter_empty_gt=True),
                    # the views change the colours
                    pipeline=[*train_pipeline[:-2], _base_.source_views],
                ),
                dict(
                    type='YOLODataset',
                    labelled=False,
                    data_prefix=dict(img={other!r}),
                    metainfo=dict(classes=classes),
                    pipeline=[
                        *_base_.short_600_target[:2],
                        *train_pipeline[4:6],  # resize, flip
                        _base_.target_views,
                    ],
                ),
            ],
        ),
    ),
)
# Left behind, they would look like settings and change nothing.
del _base_.strong_steps, _base_.pack_view, _base_.source_views, _base_.target_views
del _base_.short_600_source, _base_.short_600_target
"""

_SCHEDULE = """\
# The schedule, for {half} + {half} images a batch on one device. The teacher begins at
# iteration {burn_in}, as a copy of the student.
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters={iterations}, val_interval={interval}
)
val_cfg = dict(type='TeacherStudentValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type={wrapper!r},
    optimizer=dict({optimizer}, lr={lr:g}),
    clip_grad=dict(max_norm=35.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end={warm_up}),
    dict(type='MultiStepLR', milestones={milestones}, gamma=0.1, by_epoch=False),
]
auto_scale_lr = dict(enable=False, base_batch_size={batch})
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval={interval},
        max_keep_ckpts=2,
        save_best={best!r},
    ),
    logger=dict(interval={log}),
)
log_processor = dict(by_epoch=False)
"""

SEMI_SCHEDULE = (
    _SCHEDULE
    + """\
custom_hooks = [
    *_base_.custom_hooks[:3],
    dict(type='MixTeacherHook', momentum={momentum:g}, burn_in={burn_in}),
    dict(type='TeacherPreviewHook'),
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]"""
)

DOMAIN_SCHEDULE = (
    _SCHEDULE
    + """\
custom_hooks = [
    _base_.custom_hooks[0],
    _base_.custom_hooks[2],
    dict(type='MixTeacherHook', momentum={momentum:g}, burn_in={burn_in}),
    dict(type='DomainTeacherHook'),
    dict(type='DivergenceWatchHook'),
    dict(type='TeacherPreviewHook'),
    dict(type='IterationSeedHook'),
    dict(type='ResumeSkipHook'),
]"""
)
