"""The runs of a study, and the commands that make them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmix.apis.configs.config_reading import config_name
from mmmix.studies.digests import digest
from mmmix.studies.seeds.grid import Choice
from mmmix.studies.seeds.known_settings import check_cfg_options, check_mixers
from mmmix.studies.seeds.options import has_method, read_choice

_OWN = {
    '--seed': 'set --seeds of the study',
    '--work-dir': 'set --work-dir of the study',
    '--cfg-options': 'set --cfg-options of the study',
    '--mix': 'set --mix of the study',
    '--mix-options': 'set --mix-options of the study',
    '--launcher': 'set --nproc of the study',
    '--resume': 'a study resumes its runs by itself',
}
"""Options of a training that a study sets, and what to do instead."""

_OF_TESTS = ('--no-check', '--trust-checkpoint')
"""Options of a training that its test needs too: it would end in what they allow."""


def parse_train_args(text: str) -> list[str]:
    """The words of ``--train-args``.

    Raises:
        ValueError: If a quote is left open, or an option is one that a study sets.
    """
    words = shlex.split(text)
    for word in words:
        name, _, _ = word.partition('=')
        # argparse takes the beginning of an option for it, --see for --seed
        own = [option for option in _OWN if option.startswith(name)]
        if len(name) > 2 and own:
            raise ValueError(
                f'{word} is not for --train-args, the runs have their own {own[0]}: '
                f'{_OWN[own[0]]}'
            )
    return words


@dataclass(frozen=True)
class Run:
    """One config, trained and tested with one seed in a folder of its own.

    Args:
        config: As it was given.
        seed: Of all its random numbers.
        folder: Of its files.
        choice: The settings of a study that varies some; None for the config as it is.
    """

    config: str
    seed: int
    folder: Path
    choice: Choice | None = None

    @property
    def label(self) -> str:
        """The config, with ``@KEY=VALUE`` behind it for each setting."""
        return self.choice.label if self.choice else self.config

    @property
    def name(self) -> str:
        """Such as ``ssd_digits_boxmix/seed_0``."""
        return f'{config_name(self.label)}/seed_{self.seed}'


@dataclass(frozen=True)
class Commands:
    """The commands that train and test a run.

    Args:
        tools: Folder with ``train.py`` and ``test.py``.
        cfg_options: ``KEY=VALUE`` strings for both.
        train_args: More arguments for the training; ``--no-check`` and
            ``--trust-checkpoint`` are for its test too.
        mix_options: ``KEY=VALUE`` strings for the methods of ``CONFIG+METHOD``.
        processes: Of each training and test, on one machine.
    """

    tools: Path
    cfg_options: Sequence[str] = ()
    train_args: Sequence[str] = ()
    mix_options: Sequence[str] = ()
    processes: int = 1

    def train(self, run: Run, resume: bool) -> list[str]:
        """Train a run, from its last checkpoint if ``resume``."""
        command = [*self._start('train.py'), run.config]
        command += ['--work-dir', str(run.folder), '--seed', str(run.seed)]
        command += [*self.train_args, *(['--resume'] if resume else [])]
        return command + self._options(run)

    def test(self, run: Run, checkpoint: str, folder: Path) -> list[str]:
        """Test a checkpoint of a run; logs and metrics go to ``folder``."""
        command = [*self._start('test.py'), run.config, checkpoint]
        command += ['--work-dir', str(folder)]
        command += [word for word in self.train_args if word in _OF_TESTS]
        return command + self._options(run)

    def _start(self, tool: str) -> list[str]:
        path = str(self.tools / tool)
        if self.processes == 1:
            return [sys.executable, path]
        return [
            *(sys.executable, '-m', 'torch.distributed.run', '--standalone'),
            *(f'--nproc_per_node={self.processes}', path, '--launcher', 'pytorch'),
        ]

    def _options(self, run: Run) -> list[str]:
        chosen = run.choice or Choice(run.config)
        mix_options = (*self.mix_options, *chosen.mix_options)
        named = (
            ('--cfg-options', (*self.cfg_options, *chosen.cfg_options)),
            ('--mix-options', mix_options if has_method(run.config) else ()),
        )
        return [part for name, values in named if values for part in (name, *values)]

    def check(self, choice: Choice) -> None:
        """Read a config with all its settings, as its training will.

        Raises:
            KeyError, ValueError: If a setting cannot be merged or is not known there,
                or a method not be put into the config.
        """
        cfg_options = [*self.cfg_options, *choice.cfg_options]
        mix_options = [*self.mix_options, *choice.mix_options]
        cfg = read_choice(choice.config, cfg_options, mix_options)
        varied = [f'{key}={value}' for key, value in choice.settings]
        try:
            check_cfg_options(cfg, cfg_options)
            check_mixers(cfg, [*varied, *self.mix_options, *self.cfg_options])
        except ValueError as error:
            raise ValueError(f'{choice.config}: {error}') from error

    def fingerprint(self, choice: Choice) -> str:
        """A digest of the config's content and of all further arguments.

        Where the runs are made has no part in it, but in how many processes they are:
        that is how many images a step has.

        Raises:
            FileNotFoundError: If there is no such config.
        """
        mix_options = [*self.mix_options, *choice.mix_options]
        content = read_choice(choice.config, mix_options=mix_options).to_dict()
        del content['work_dir']
        options = [*self.cfg_options, *choice.cfg_options]
        parts = [content, sorted(options), list(self.train_args)]
        if mix_options:
            parts.append(sorted(mix_options))
        if self.processes > 1:
            parts.append({'processes': self.processes})
        text = json.dumps(parts, sort_keys=True, default=str)
        return digest([text.encode()])
