"""Settings of a resumed run that its checkpoint overrules."""

from __future__ import annotations

import inspect
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, _ParamScheduler
from mmengine.runner import Runner


class ResumedSettingsHook(Hook):
    """Warns of settings of the optimizer and its schedules that have no effect.

    mmengine restores both as they are in the checkpoint, with their settings: another
    learning rate, weight decay or milestone in the config is passed over in silence.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare what was built from the config with the checkpoint."""
        wrapper, schedulers = runner.optim_wrapper, runner.param_schedulers
        if not runner.cfg.get('resume'):
            return
        found = []
        saved = checkpoint.get('optimizer') or {}
        if isinstance(wrapper, OptimWrapper) and 'param_groups' in saved:
            groups = zip(wrapper.optimizer.param_groups, saved['param_groups'])
            for own, before in groups:
                found += _differences(_settings(own), _settings(before))
        saved = checkpoint.get('param_schedulers')
        if isinstance(schedulers, list) and isinstance(saved, list):
            built = [one for one in schedulers if isinstance(one, _ParamScheduler)]
            found += _of_schedulers(built, saved)
        if found:
            named = ', '.join(dict.fromkeys(found))
            start = shlex.quote(f'load_from={runner.cfg.load_from}')
            runner.logger.warning(
                'The run goes on with the optimizer and the schedules of its '
                f'checkpoint, and of the config these have no effect: {named}. To '
                'train with them, leave --resume out, and start from the weights alone '
                f'in another --work-dir: --cfg-options {start}'
            )


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a group of parameters, as before any schedule."""
    return {
        key.removeprefix('initial_'): value
        for key, value in group.items()
        if key != 'params' and f'initial_{key}' not in group
    }


def _of_schedulers(own: Sequence[Any], saved: Sequence[Mapping]) -> Iterator[str]:
    """Settings in which schedules differ, or that one has no counterpart."""
    for scheduler, before in zip(own, saved):
        names = {
            name
            for cls in type(scheduler).__mro__
            for name in inspect.signature(cls.__init__).parameters
        } - {'last_step', 'verbose'}
        now = {key: value for key, value in vars(scheduler).items() if key in names}
        for text in _differences(now, before):
            yield f'{type(scheduler).__name__}.{text}'
    if len(own) != len(saved):
        yield f'{len(own)} schedules (the checkpoint has {len(saved)})'


def _differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    """The settings of both that differ, with both values."""
    for key in sorted(now.keys() & before.keys()):
        ours, theirs = (_plain(values[key]) for values in (now, before))
        if ours != theirs:
            yield f'{key}={ours} (the checkpoint has {theirs})'


def _plain(value: Any) -> Any:
    """A value to be compared and read; milestones are counted."""
    if isinstance(value, Counter):
        return sorted(value.elements())
    return list(value) if isinstance(value, tuple) else value
