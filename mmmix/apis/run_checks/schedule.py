"""Whether the optimizer and its schedule can be built, as a training would do it."""

from __future__ import annotations

import copy
import difflib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mmdet.registry import (
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
)
from mmengine.device import is_cuda_available, is_npu_available
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import Runner

from mmmix.apis.configs.nests import dicts_in
from mmmix.apis.data_checks.metrics import check_metrics
from mmmix.apis.plain_errors import text_of
from mmmix.registry import class_of, is_a

from .finding import FAULT, OK, RAISED, WARNING, Finding

_AMP_SETTINGS = ('loss_scale', 'dtype', 'use_fsdp')
"""What ``AmpOptimWrapper`` takes beyond ``OptimWrapper``."""


def check_loop(runner: Runner) -> Iterator[Finding]:
    """Build the training loop, which the schedule is made for, and the validation."""
    for split, check in (('train', 'training loop'), ('val', 'validation')):
        try:
            check_metrics(getattr(runner, f'{split}_loop'), f'{split}_evaluator')
        except RAISED as error:
            yield Finding(FAULT, check, text_of(error))


def check_optimizer(runner: Runner, with_schedule: bool) -> Iterator[Finding]:
    """Build the optimizer, scale its rate, and build what changes it.

    The runner stays as it is.

    Args:
        runner: One that trains by a strategy of its own is left alone.
        with_schedule: Whether to look at ``param_scheduler`` too, for which the
            runner's training loop has to be built.
    """
    given = runner.optim_wrapper
    if not isinstance(runner, Runner) or not isinstance(given, Mapping):
        return
    settings = copy.deepcopy(given)
    if _needs_gpu(settings):
        settings = _without_amp(settings)
        yield Finding(
            WARNING,
            'optimizer',
            f'optim_wrapper.type={given["type"]!r} (mixed precision) needs a GPU, and '
            'this machine has none',
            'train where there is one, or in full precision',
        )
    try:
        built = runner.build_optim_wrapper(settings)
    except RAISED as error:
        yield _fault('optimizer', 'optim_wrapper', given, error)
        return
    try:
        runner.scale_lr(built, runner.auto_scale_lr)
    except RAISED as error:
        yield _fault('optimizer', 'auto_scale_lr', runner.auto_scale_lr, error)
        return
    yield Finding(OK, 'optimizer', _described(built))
    if with_schedule:
        yield from _schedule(runner, built)


def _schedule(runner: Runner, built: OptimWrapper) -> Iterator[Finding]:
    """Build the schedulers one after the other, as they share the optimizer."""
    given = runner.param_schedulers
    if given is None:
        return
    parts = {'param_scheduler': given}
    if isinstance(given, (list, tuple)):
        parts = {f'param_scheduler.{n}': part for n, part in enumerate(given)}
    runner.optim_wrapper, before = built, runner.optim_wrapper
    try:
        for key, part in parts.items():
            try:
                runner.build_param_scheduler(copy.deepcopy(part))
            except RAISED as error:
                yield _fault('schedule', key, part, error)
    finally:
        runner.optim_wrapper = before


def _needs_gpu(settings: Mapping) -> bool:
    """Whether an optimizer of mixed precision lacks its device."""
    return is_a(settings, AmpOptimWrapper, OPTIM_WRAPPERS) and not (
        is_cuda_available() or is_npu_available()
    )


def _without_amp(settings: Mapping) -> dict[str, Any]:
    """The same in full precision, for what else may be wrong."""
    kept = {key: value for key, value in settings.items() if key not in _AMP_SETTINGS}
    guarded = 'SkipNonFiniteAmpOptimWrapper'
    if is_a(settings, guarded, OPTIM_WRAPPERS):
        return dict(kept, type='mmdet.SkipNonFiniteOptimWrapper')
    return dict(kept, type='OptimWrapper')


def _described(built: OptimWrapper) -> str:
    """The optimizer and its rates."""
    rates = [rate for all_of_them in built.get_lr().values() for rate in all_of_them]
    low, high = min(rates), max(rates)
    text = f'{low:.3g}' if low == high else f'{low:.3g} to {high:.3g}'
    name = type(getattr(built, 'optimizer', built)).__name__
    return f'{name}, learning rate {text}'


def _fault(check: str, key: str, part: Any, error: Exception) -> Finding:
    """What an error says of a part of the config, with the setting that it means."""
    text = text_of(error)
    if 'process group' in text:
        return Finding(
            WARNING, check, f'{key} is for several processes, and was not built here'
        )
    setting = re.search(r"unexpected keyword argument '(\w+)'", text)
    if setting:
        found = _find(part, key, lambda at, _: at.endswith(f'.{setting[1]}'))
        if found is not None:
            return Finding(
                FAULT,
                check,
                f'{found.key}={_short(found.value)} is not taken: {text}',
                _near_setting(found) or f'take {found.key} out, or correct it',
            )
    found = _find(part, key, _is_unknown)
    if found is not None:
        return Finding(
            FAULT,
            check,
            f'{found.key}={found.value!r} is not known',
            _near_type(found) or f'correct {found.key}, or import its module',
        )
    return Finding(
        FAULT,
        check,
        f'{key} cannot be built: {text}',
        f'correct {key}, now {_short(part)}',
    )


class _Found(NamedTuple):
    """A setting in a nest: its key with dots, its value, and the dict around it."""

    key: str
    value: Any
    holder: Mapping


def _find(part: Any, key: str, wanted: Callable[[str, Any], bool]) -> _Found | None:
    """The first setting of a nest that is wanted, by its key and value."""
    return next(
        (
            _Found(f'{place}.{name}', value, holder)
            for place, holder in dicts_in(part, key)
            for name, value in holder.items()
            if wanted(f'{place}.{name}', value)
        ),
        None,
    )


def _is_unknown(key: str, value: Any) -> bool:
    """Whether a setting names a type that there is not."""
    registry = _registry(key)
    return registry is not None and class_of(value, registry) is None


def _near_setting(found: _Found) -> str:
    """The setting of its type that is most like one; empty if none is."""
    before, _, name = found.key.rpartition('.')
    registry = _registry(f'{before}.type')
    kind = found.holder.get('type', 'OptimWrapper')
    # a registry without entries of its own is false
    cls = None if registry is None else class_of(kind, registry)
    known = [
        parameter
        for base in (cls.__mro__ if cls else ())
        if '__init__' in vars(base) and base is not object
        for parameter in inspect.signature(base.__init__).parameters
    ]
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean {before}.{near[0]}? Else take {found.key} out' if near else ''


def _near_type(found: _Found) -> str:
    """The type that is most like an unknown one; empty if none is."""
    known: set[str] = set()
    registry = _registry(found.key)
    while registry is not None:
        known |= set(registry.module_dict)
        registry = registry.parent
    near = difflib.get_close_matches(str(found.value), sorted(known), n=1)
    return f'did you mean {found.key}={near[0]!r}?' if near else ''


def _registry(key: str) -> Registry | None:
    """Where the value of a key is looked up; None if it names no type."""
    before, _, name = key.rpartition('.')
    if (before, name) == ('optim_wrapper', 'constructor'):
        return OPTIM_WRAPPER_CONSTRUCTORS
    if name != 'type':
        return None
    if before.startswith('param_scheduler'):
        return PARAM_SCHEDULERS
    if before.endswith('.optimizer'):
        return OPTIMIZERS
    return OPTIM_WRAPPERS if before == 'optim_wrapper' else None


def _short(value: Any) -> str:
    """A value in at most a line."""
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'
