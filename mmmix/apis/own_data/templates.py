"""The configs that ``mmmix init`` fills in: around our models, and around mmdet's."""

_HEAD = """\
# {title}{with_method} on {name}: {count} classes, {train} images to train on
# and {val} to validate on. Written by mmmix init; it is yours to change.
#
#   mmmix check {file}    looks for faults in the data, this config and the stack
#   mmmix train {file}    {epochs} epochs of {iterations} iterations
"""

_DATA = """\

# The data, and the classes in the order of their labels.
data_root = {root!r}
classes = {classes}

"""

_TRAIN = """\
    batch_size={batch},
    num_workers=2,
    persistent_workers=True,
    drop_last=True,  # a last batch of one image could not be mixed
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
{train_set}
        filter_cfg=dict(filter_empty_gt=True),
"""
"""The training loader up to its pipeline."""

_PACK = """\
    dict(
        type='PackDetInputs',
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'instances',
        ),
    ),
"""
"""The last step of the test pipeline; CocoStyleMetric reads 'instances'."""

_VALIDATION = """\
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
{val_set}
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = {test_loader}
# VOC's mAP at IoU 0.5, with the AP of each class, and COCO's AP.
val_evaluator = [
    dict(type='VOCStyleMetric', eval_mode='area'),
    dict(type='CocoStyleMetric'),
]
test_evaluator = val_evaluator
"""
"""The validation loader behind its batch, the test loader and the metrics."""

_PLAN = """\
# The schedule, for {batch} images a batch on one device. With another batch, change
# lr in proportion, or train with --auto-scale-lr.
"""

_RATES = """\
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end={warm_up}),
    dict(type='MultiStepLR', milestones={milestones}, gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size={batch})
default_hooks = dict(
    checkpoint=dict(interval={interval}, max_keep_ckpts=2, save_best='pascal_voc/mAP'),
    logger=dict(interval={log}),
    report=dict(type='RunReportHook'),  # writes report/index.html
)"""
"""How the learning rate goes, and what is kept and logged."""

_END = """\
randomness = dict(seed=0)

{load_from}
"""

TRAIN_LOADER = (
    'train_dataloader = dict(\n'
    + _TRAIN
    + """\
        pipeline=train_pipeline,
    ),
)"""
)

SCHEDULE = (
    _PLAN
    + """\
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs={epochs}, val_interval={interval}
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict({optimizer}, lr={lr:g}),{paramwise}{clip}
)
"""
    + _RATES
)

TEMPLATE = (
    _HEAD
    + """\
_base_ = [
{bases}
]
"""
    + _DATA
    + """\
train_pipeline = [
{train_steps}]
test_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='Resize', scale={scale}, keep_ratio={keep_ratio}),
    # after Resize: the boxes stay in the image's own pixels
    dict(type='LoadAnnotations', with_bbox=True),
"""
    + _PACK
    + """\
]

{train_loader}
val_dataloader = dict(
    batch_size={test_batch},
"""
    + _VALIDATION
    + """\

# The model.
model = dict(
{model}
)

{schedule}
{hooks}"""
    + _END
)

STOCK = (
    _HEAD
    + """\
_base_ = {base!r}
custom_imports = dict(imports=['mmmix'], allow_failed_imports=False)
"""
    + _DATA
    + """\
train_dataloader = dict(
    _delete_=True,
"""
    + _TRAIN
    + """\
        pipeline=_base_.train_pipeline,
    ),
)
test_pipeline = [
    *_base_.test_pipeline[:-1],
"""
    + _PACK
    + """\
]
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
"""
    + _VALIDATION
    + """\

# What differs from mmdet's model.
model = {model}
custom_hooks = {hooks}

"""
    + _PLAN
    + """\
train_cfg = dict(
    _delete_=True,
    type='EpochBasedTrainLoop',
    max_epochs={epochs},
    val_interval={interval},
)
optim_wrapper = dict(optimizer=dict(lr={lr:g}))
"""
    + _RATES
    + '\n'
    + _END
)
