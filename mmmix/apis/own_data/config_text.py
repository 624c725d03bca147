"""The config that ``mmmix init`` writes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmmix.apis.configs.written import written

from .detectors import Detector, Recipe
from .layout import Layout, Split
from .plan import Plan
from .teachers import Unlabelled, model_lines, schedule_fields
from .templates import SCHEDULE, TEMPLATE, TRAIN_LOADER


class Choice(NamedTuple):
    """What a config is made of.

    Attributes:
        name: Of the config, without ending.
        layout: The data, with its splits.
        classes: In the order of their labels.
        detector: What is trained; around mmdet's models its schedule alone.
        size: Of the images, in pixels; None if it stands in the pipelines of mmdet.
        plan: The schedule; with unlabelled images, for the labelled half of a batch.
        method: How it mixes; None for the plain detector.
        load_from: Lines that say where the weights come from.
        unlabelled: Images without labels; None for none.
    """

    name: str
    layout: Layout
    classes: tuple[str, ...]
    detector: Detector | Recipe
    size: int | None
    plan: Plan
    method: str | None
    load_from: str
    unlabelled: Unlabelled | None = None


def config_text(choice: Choice) -> str:
    """Write out a config around one of our models."""
    detector, size = choice.detector, choice.size
    sizes = dict(size=size, least=size * 3 // 4 // 32 * 32, longest=size * 5 // 3)
    fields = common_fields(choice) | dict(
        bases='\n'.join(f"    'mmmix::_base_/{base}.py'," for base in _bases(choice)),
        train_steps=detector.train.format(**sizes),
        scale=detector.scale.format(**sizes),
        keep_ratio=detector.keep_ratio,
        test_batch=detector.test_batch,
        model='\n'.join(f'    {line}' for line in _model(choice)),
        optimizer=detector.optimizer,
        paramwise=_setting('paramwise_cfg', detector.paramwise),
        clip=_setting('clip_grad', detector.clip and f'max_norm={detector.clip}'),
        hooks=_hooks(detector.hooks),
    )
    loader, schedule, training = TRAIN_LOADER, SCHEDULE, fields
    if choice.unlabelled is not None:
        teacher = choice.unlabelled.teacher
        loader, schedule = teacher.loader, teacher.schedule
        training = fields | _teacher_fields(choice, choice.unlabelled)
    return TEMPLATE.format(
        **fields,
        train_loader=loader.format(**training),
        schedule=schedule.format(**training),
    )


def common_fields(choice: Choice) -> dict[str, Any]:
    """What the templates around our models and around those of mmdet both have."""
    layout, plan, splits = choice.layout, choice.plan, choice.layout.splits
    return dict(
        plan._asdict(),
        title=choice.detector.title,
        with_method=f' with {choice.method}' if choice.method else '',
        name=layout.root.resolve().name,
        file=f'{choice.name}.py',
        count=len(choice.classes),
        train=len(splits['train'].with_objects),
        val=len(splits['val'].items),
        root=layout.root.as_posix() + '/',
        classes=_tuple(choice.classes),
        train_set=_set_lines(layout, splits['train'], 8),
        val_set=_set_lines(layout, splits['val'], 8),
        test_loader=_test_loader(layout),
        log=max(1, min(50, plan.iterations // 2)),
        load_from=choice.load_from,
    )


def _teacher_fields(choice: Choice, unlabelled: Unlabelled) -> dict[str, Any]:
    """What the loader and the schedule of a teacher have of their own."""
    train = choice.layout.splits['train']
    return schedule_fields(unlabelled.teacher, choice.plan) | dict(
        train_set=_set_lines(choice.layout, train, 20),
        other=unlabelled.folder.as_posix() + '/',
        grouped=choice.detector.keep_ratio,
    )


def _setting(name: str, content: str | float | None) -> str:
    """A line of the optimizer wrapper; nothing without content."""
    return f'\n    {name}=dict({content}),' if content else ''


def _hooks(hooks: Sequence[str]) -> str:
    """The hooks beside those of the base."""
    if not hooks:
        return ''
    return f'custom_hooks = [*_base_.custom_hooks, {", ".join(hooks)}]\n'


def _bases(choice: Choice) -> list[str]:
    """Bases of a config, without folder and ending."""
    unlabelled, model = choice.unlabelled, choice.detector.base
    prefix = unlabelled.teacher.prefix if unlabelled else ''
    bases = [f'models/{prefix}{model}']
    bases += [f'datasets/{unlabelled.teacher.pipelines}'] if unlabelled else []
    bases += [f'mixes/{choice.method}'] if choice.method else []
    return [*bases, 'default_runtime']


def _test_loader(layout: Layout) -> str:
    """The loader of test images: those of validation, if there are no others."""
    if 'test' not in layout.splits:
        return 'val_dataloader'
    return (
        'dict(\n    val_dataloader,\n    dataset=dict(\n'
        + _set_lines(layout, layout.splits['test'], 8)
        + '\n        test_mode=True,\n        pipeline=test_pipeline,\n    ),\n)'
    )


def _set_lines(layout: Layout, split: Split, indent: int) -> str:
    """The lines of a data set."""
    settings: Mapping[str, Any] = dict(sorted(split.settings.items()))
    lines = [
        f'type={layout.dataset!r}',
        'data_root=data_root',
        'metainfo=dict(classes=classes)',
        *(f'{key}={written(value, width=math.inf)}' for key, value in settings.items()),
    ]
    return '\n'.join(f'{" " * indent}{line},' for line in lines)


def _tuple(names: tuple[str, ...]) -> str:
    """Names as a tuple, on one line or one a line."""
    line = f'({", ".join(map(repr, names))}{"," if len(names) == 1 else ""})'
    if len(line) <= 76:
        return line
    return '(\n' + ''.join(f'    {name!r},\n' for name in names) + ')'


def _model(choice: Choice) -> list[str]:
    """The settings of the model."""
    detector, method = choice.detector, choice.method
    classes = f'num_classes={len(choice.classes)}'
    for key in reversed(detector.classes):
        classes = f'{key}=dict({classes})'
    if choice.unlabelled:
        return model_lines(choice.unlabelled.teacher, classes, method, choice.plan)
    lines = [detector.model] if detector.model else []
    lines += [f'{classes},']
    if method:
        lines += ['data_preprocessor=dict(batch_augments=[_base_.mix]),']
    return lines
