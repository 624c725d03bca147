"""The config that ``mmmix init`` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .detectors import Detector
from .layout import Layout, Split
from .plan import Plan

_TEMPLATE = """\
# {title}{with_method} on {name}: {count} classes, {train} images to train on
# and {val} to validate on. Written by mmmix init; it is yours to change.
#
#   mmmix check {file}    looks for faults in the data, this config and the stack
#   mmmix train {file}    {epochs} epochs of {iterations} iterations
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
)
val_dataloader = dict(
    batch_size={test_batch},
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

# The model{method_note}
model = dict(
{model}
)

# The schedule, for {batch} images a batch on one device. With another batch, change
# lr in proportion, or train with --auto-scale-lr.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs={epochs}, val_interval={interval}
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr={lr:g}, {optimizer}),{clip}
)
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


def config_text(
    name: str,
    layout: Layout,
    classes: tuple[str, ...],
    detector: Detector,
    size: int,
    plan: Plan,
    method: str | None,
    load_from: str,
) -> str:
    """Write out a config.

    Args:
        name: Of the config, without ending.
        layout: With its splits.
        classes: In the order of their labels.
        detector: What is trained.
        size: Of the images, in pixels.
        plan: The schedule.
        method: How it mixes; None for the plain detector.
        load_from: Lines that say where the weights come from.
    """
    splits = layout.splits
    sizes = dict(size=size, least=size * 3 // 4 // 32 * 32, longest=size * 5 // 3)
    bases = [f'_base_/models/{detector.base}.py']
    bases += [f'_base_/mixes/{method}.py'] if method else []
    bases += ['_base_/default_runtime.py']
    test = 'val_dataloader'
    if 'test' in splits:
        lines = _data_set(layout, splits['test'], '    ')
        test = f'dict(\n    val_dataloader,\n    dataset=dict(\n{lines}\n'
        test += '        test_mode=True,\n        pipeline=test_pipeline,\n    ),\n)'
    clip = f'\n    clip_grad=dict(max_norm={detector.clip}),'
    return _TEMPLATE.format(
        **plan._asdict(),
        title=detector.title,
        with_method=f' with {method}' if method else '',
        name=layout.root.resolve().name,
        file=f'{name}.py',
        count=len(classes),
        train=len(splits['train'].items),
        val=len(splits['val'].items),
        bases='\n'.join(f"    'mmmix::{base}'," for base in bases),
        root=layout.root.as_posix() + '/',
        classes=_tuple(classes),
        train_steps=detector.train.format(**sizes),
        scale=detector.scale.format(**sizes),
        keep_ratio=detector.keep_ratio,
        train_set=_data_set(layout, splits['train'], '    '),
        val_set=_data_set(layout, splits['val'], '    '),
        test_loader=test,
        test_batch=detector.test_batch,
        method_note=f', and what {method} does to a batch.' if method else '.',
        model=_model(detector, len(classes), method),
        optimizer=detector.optimizer,
        clip=clip if detector.clip else '',
        log=max(1, min(50, plan.iterations // 2)),
        load_from=load_from,
    )


def _data_set(layout: Layout, split: Split, indent: str) -> str:
    """The lines of a data set."""
    settings: Mapping[str, Any] = dict(sorted(split.settings.items()))
    lines = [
        f'type={layout.dataset!r}',
        'data_root=data_root',
        'metainfo=dict(classes=classes)',
        *(f'{key}={_value(value)}' for key, value in settings.items()),
    ]
    return '\n'.join(f'{indent}    {line},' for line in lines)


def _value(value: Any) -> str:
    """A value as a config writes it."""
    if isinstance(value, Mapping):
        return f'dict({", ".join(f"{key}={item!r}" for key, item in value.items())})'
    return repr(value)


def _tuple(names: tuple[str, ...]) -> str:
    """Names as a tuple, on one line or one a line."""
    line = f'({", ".join(map(repr, names))}{"," if len(names) == 1 else ""})'
    if len(line) <= 76:
        return line
    return '(\n' + ''.join(f'    {name!r},\n' for name in names) + ')'


def _model(detector: Detector, count: int, method: str | None) -> str:
    """The settings of the model."""
    text = f'num_classes={count}'
    for key in reversed(detector.classes):
        text = f'{key}=dict({text})'
    lines = [detector.model, f'{text},']
    if method:
        mix = '_base_.mix'
        if detector.wrapped and method not in UNWEIGHED:
            wrapped = f'detector={detector.wrapped!r},'
            lines = ["type='LossMixDetector',", wrapped, *lines]
            # Whole losses are weighted, so a batch shares its weights.
            mix = "dict(_base_.mix, lam_per='batch')"
        lines += [f'data_preprocessor=dict(batch_augments=[{mix}]),']
    return '\n'.join(f'    {line}' for line in lines)


UNWEIGHED = ('union', 'boxstack', 'noise')
"""Methods that any head trains on as it is."""
