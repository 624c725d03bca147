"""The parts of a config that ``mmmix init`` fills in."""

from .template_parts import PACK, RATES, VALIDATION

TRAIN_LOADER = """\
train_dataloader = dict(
    batch_size={batch},
    num_workers=2,
    persistent_workers=True,
    drop_last=True,  # a last batch of one image could not be mixed
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
{train_set}
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline,
    ),
)"""

SCHEDULE = (
    """\
# The schedule, for {batch} images a batch on one device. With another batch, change
# lr in proportion, or train with --auto-scale-lr.
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
    + RATES
)

TEMPLATE = (
    """\
# {title}{with_method} on {name}: {count} classes, {train} images to train on
# and {val} to validate on. Written by mmmix init; it is yours to change.
#
#   mmmix check {file}    looks for faults in the data, this config and the stack
#   mmmix train {file}    {length}
_base_ = [
{bases}
]

# The data, and the classes in the order of their labels.
data_root = {root!r}
classes = {classes}

train_pipeline = [
{train_steps}]
test_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='Resize', scale={scale}, keep_ratio={keep_ratio}),
    # after Resize: the boxes stay in the image's own pixels
    dict(type='LoadAnnotations', with_bbox=True),
"""
    + PACK
    + """\
]

{train_loader}
val_dataloader = dict(
    batch_size={test_batch},
"""
    + VALIDATION
    + """\

# The model.
model = dict(
{model}
)

{schedule}
{hooks}randomness = dict(seed=0)

{load_from}
"""
)
