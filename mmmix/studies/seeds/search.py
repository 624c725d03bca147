"""A setting chosen on the validation set, by Optuna."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmix.apis.checkpoints.resume import newest_checkpoint
from mmmix.apis.configs.config_reading import config_name
from mmmix.apis.reporting import markdown_table, say
from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildProcesses,
    ChildStopped,
)
from mmmix.studies.seeds.grid import Axis, Choice, choices
from mmmix.studies.seeds.logged_metrics import logged_metrics, validations
from mmmix.studies.seeds.made_by import MADE_BY, made_unlike
from mmmix.studies.seeds.runs import Commands, Run
from mmmix.studies.seeds.submitted_jobs import SubmittedJobs
from mmmix.studies.seeds.val_and_test import check_val_is_not_test

if TYPE_CHECKING:
    from optuna import Study as Trials
    from optuna import Trial

_SETTINGS = 'settings'


@dataclass(frozen=True)
class Span:
    """A setting and the range that its values are drawn from, on a log scale."""

    key: str
    low: float
    high: float


def parse_span(text: str) -> Span:
    """Read ``KEY=LOW:HIGH``.

    Raises:
        ValueError: If it has another form, or the bounds are not positive and in order.
    """
    key, _, bounds = text.partition('=')
    low, _, high = bounds.partition(':')
    try:
        span = Span(key, float(low), float(high))
    except ValueError as error:
        raise ValueError(f'--search expects KEY=LOW:HIGH, got {text!r}') from error
    if not key or not 0 < span.low < span.high < math.inf:
        raise ValueError(f'--search expects 0 < LOW < HIGH, got {text!r}')
    return span


class Search:
    """Trainings with values of one setting, scored by their last validation.

    No test is made. A training whose validations lag behind the median of the others is
    ended early. The trials are kept in ``search.db`` of the folder, so that a search
    that was ended goes on, with the trainings that were under way.

    Args:
        config: That mixes, or has another setting to choose.
        span: The setting.
        seed: Of all trainings.
        folder: Of the search; each training has a folder in it.
        commands: How trainings are made.
        children: Where they are made.
        metric: Of the validations, the greater the better.

    Raises:
        ImportError: If Optuna is not installed.
        KeyError: If the config has no place for the setting.
        ValueError: If the config validates on the data that it is tested on, does not
            know the setting, or the folder has trials of other settings.
    """

    def __init__(
        self,
        config: str,
        span: Span,
        seed: int,
        folder: Path,
        commands: Commands,
        children: ChildProcesses | SubmittedJobs,
        metric: str,
    ) -> None:
        check_val_is_not_test(config, commands.cfg_options, commands.mix_options)
        axis = Axis(span.key, (f'{span.low:.3g}', f'{span.high:.3g}'))
        for choice in choices([config], [axis], commands.mix_options):
            commands.check(choice)
        try:
            import optuna
        except ImportError as error:
            raise ImportError(
                "--search needs Optuna: pip install 'mmmix[search]'"
            ) from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._config, self._span, self._seed = config, span, seed
        self._folder, self._metric = folder, metric
        self._commands, self._children = commands, children
        folder.mkdir(parents=True, exist_ok=True)
        self.trials: Trials = optuna.create_study(
            storage=f'sqlite:///{(folder / "search.db").resolve()}',
            study_name=f'{config_name(config)} {span.key} {metric}',
            direction='maximize',
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
            load_if_exists=True,
        )
        self._check_settings()
        # Another seed after each start, or the first draws would come again.
        begun = len(self.trials.trials)
        self.trials.sampler = optuna.samplers.TPESampler(seed=seed + begun)

    def _check_settings(self) -> None:
        """Refuse to choose among trials of different settings.

        Raises:
            ValueError: If trials were made with others.
        """
        mark = f'{self._commands.fingerprint(Choice(self._config))} {self._seed}'
        known = self.trials.user_attrs.get(_SETTINGS, mark)
        if known != mark:
            raise ValueError(
                f'{self._folder / "search.db"} has trials from another content of '
                f'{self._config}, other --cfg-options, --mix-options, --train-args, '
                '--nproc or another first of --seeds. Use another --work-dir'
            )
        self.trials.set_user_attr(_SETTINGS, mark)

    def run(self, count: int, jobs: int = 1) -> None:
        """Make trials until there are so many, some at a time.

        Raises:
            ChildStopped: If the trainings were stopped.
            KeyError: If a training ended and no validation has the metric: the other
                trainings would be in vain too.
        """
        from optuna.trial import TrialState

        ended = (TrialState.COMPLETE, TrialState.PRUNED)
        for trial in self.trials.get_trials(states=(TrialState.RUNNING,)):
            self.trials.tell(trial.number, state=TrialState.FAIL)
            self.trials.enqueue_trial(trial.params, user_attrs=trial.user_attrs)
        left = max(count - len(self.trials.get_trials(states=ended)), 0)
        say(f'{count} trials, {left} of them to do')
        to_do = {f'{left} to do': {MADE_BY: [self._children.maker()]}} if left else {}
        unlike = made_unlike({**self._records(), **to_do})
        if unlike:
            say(unlike)
        pool = ThreadPoolExecutor(jobs)
        try:
            for future in as_completed([pool.submit(self._trial) for _ in range(left)]):
                future.result()
        except BaseException:
            say('stopping the trainings')
            pool.shutdown(wait=False, cancel_futures=True)
            self._children.stop()
            raise

    def _trial(self) -> None:
        """One training; one that is stopped with the search stays under way."""
        from optuna import TrialPruned
        from optuna.trial import TrialState

        trial = self.trials.ask()
        try:
            self.trials.tell(trial, self._score(trial))
        except TrialPruned:
            self.trials.tell(trial, state=TrialState.PRUNED)
        except TrialFailed as error:
            say(f'trial {trial.number} FAILED: {error}')
            self.trials.tell(trial, state=TrialState.FAIL)

    def _score(self, trial: Trial) -> float:
        drawn = trial.suggest_float(
            self._span.key, self._span.low, self._span.high, log=True
        )
        run = self._run(f'{drawn:.3g}')
        watch = _Watch(trial, run.folder, self._metric)
        resume = newest_checkpoint(run.folder)[0] is not None
        self._note_maker(trial, anew=not resume)
        command = self._commands.train(run, resume)
        try:
            self._children.call(command, run.folder / 'train.log', watch.lags)
        except ChildStopped:
            if not watch.pruned:
                raise
        except ChildFailed as error:
            raise TrialFailed(f'{run.name}: {error}') from error
        return self._result(trial, run, watch)

    def _note_maker(self, trial: Trial, anew: bool) -> None:
        """Record what makes a trial from here on, behind what has made it so far."""
        known = [] if anew else trial.user_attrs.get(MADE_BY)
        maker = self._children.maker()
        if known is not None and maker not in known:  # None: an older version began it
            trial.set_user_attr(MADE_BY, [*known, maker])

    def _records(self) -> dict[str, dict[str, Any]]:
        """What made the trials that are compared, by their value."""
        return {
            f'{trial.params[self._span.key]:.3g}': trial.user_attrs
            for trial in self.trials.trials
            if trial.state.name in ('COMPLETE', 'PRUNED')
        }

    def _result(self, trial: Trial, run: Run, watch: _Watch) -> float:
        from optuna import TrialPruned

        watch.report()
        found = validations(run.folder, self._metric)
        if not found:
            raise KeyError(
                f'--metric: no validation of {run.folder} has {self._metric!r}; there '
                f'are {logged_metrics(run.folder)}'
            )
        score = found[-1][1]
        said = 'ended early' if watch.pruned else 'done'
        say(f'{run.name}: {said}, {self._metric} {score:.4f}')
        if watch.pruned:
            raise TrialPruned()
        return score

    def _run(self, value: str) -> Run:
        """The training with a value; its folder is named by it."""
        axis = Axis(self._span.key, (value,))
        (choice,) = choices([self._config], [axis], self._commands.mix_options)
        folder = self._folder / config_name(choice.label) / f'seed_{self._seed}'
        return Run(choice.config, self._seed, folder, choice)

    def report(self) -> str:
        """The trials as a table, and the value that was chosen."""
        rows = [
            [
                f'{trial.params[self._span.key]:.3g}',
                trial.state.name.lower(),
                '' if trial.value is None else f'{trial.value:.4f}',
            ]
            for trial in self.trials.trials
            if trial.params
        ]
        text = markdown_table([self._span.key, 'state', f'val {self._metric}'], rows)
        unlike = made_unlike(self._records())
        if unlike:
            text = f'{text}\n\n{unlike}'
        if not self.chosen:
            return f'{text}\n\nNo trial came to its end.'
        return (
            f'{text}\n\nChosen on val: {self._span.key}={self.chosen}. To test it over '
            f'seeds: --grid {self._span.key}={self.chosen}'
        )

    @property
    def chosen(self) -> str:
        """The best value of the trials; empty if none came to its end."""
        if not any(trial.state.name == 'COMPLETE' for trial in self.trials.trials):
            return ''
        return f'{self.trials.best_params[self._span.key]:.3g}'


class TrialFailed(RuntimeError):
    """A training of a search failed; the others go on."""


class _Watch:
    """Reports the validations of a training as they come."""

    def __init__(self, trial: Trial, folder: Path, metric: str) -> None:
        self._trial, self._folder, self._metric = trial, folder, metric
        self._seen: set[int] = set()
        self.pruned = False

    def lags(self) -> bool:
        """Whether to end the training: it is worse than half of the others were."""
        if self.report() and self._trial.should_prune():
            self.pruned = True
        return self.pruned

    def report(self) -> bool:
        """Tell Optuna of the validations so far; whether there are new ones."""
        found = validations(self._folder, self._metric)
        new = [(step, score) for step, score in found if step not in self._seen]
        for step, score in new:
            self._seen.add(step)
            self._trial.report(score, step)
        return bool(new)
