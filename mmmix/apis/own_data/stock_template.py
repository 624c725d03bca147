"""The config that ``mmmix init`` writes around one of mmdet."""

from .template_parts import PACK, RATES, VALIDATION

STOCK = (
    """\
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
"""
    + PACK
    + """\
]
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
"""
    + VALIDATION
    + """\

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
"""
    + RATES
    + """\

randomness = dict(seed=0)

{load_from}
"""
)
