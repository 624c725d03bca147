"""The config that ``mmmix init`` writes around one of mmdet."""

STOCK = """\
# {title}{with_method} on {name}: {count} classes, {train} images to train on
# and {val} to validate on. Written by mmmix init; it is yours to change.
#
#   mmmix check {file}    looks for faults in the data, this config and the stack
#   mmmix train {file}    {epochs} epochs of {iterations} iterations
_base_ = {base!r}
custom_imports = dict(imports=['mmmix'], allow_failed_imports=False)

# The data, and the classes in the order of their labels.
data_root = {root!r}
classes = {classes}

train_dataloader = dict(
    _delete_=True,
    batch_size={batch},
    num_workers=2,
    persistent_workers=True,
    drop_last=True,  # a last batch of one image could not be mixed
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
{train_set}
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=_base_.train_pipeline,
    ),
)
test_pipeline = [
    *_base_.test_pipeline[:-1],
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
]
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
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

# What differs from mmdet's model.
model = {model}
custom_hooks = {hooks}

# The schedule, for {batch} images a batch on one device. With another batch, change
# lr in proportion, or train with --auto-scale-lr.
train_cfg = dict(
    _delete_=True,
    type='EpochBasedTrainLoop',
    max_epochs={epochs},
    val_interval={interval},
)
optim_wrapper = dict(optimizer=dict(lr={lr:g}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end={warm_up}),
    dict(type='MultiStepLR', milestones={milestones}, gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size={batch})
default_hooks = dict(
    checkpoint=dict(interval={interval}, max_keep_ckpts=2, save_best='pascal_voc/mAP'),
    logger=dict(interval={log}),
)
randomness = dict(seed=0)

{load_from}
"""
