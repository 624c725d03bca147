"""The runs of a study, and the commands that make them."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmix.apis.config_reading import config_name, read_config


@dataclass(frozen=True)
class Run:
    """One config, trained and tested with one seed in a folder of its own."""

    config: str
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Such as ``ssd_digits_boxmix/seed_0``."""
        return f'{config_name(self.config)}/seed_{self.seed}'


@dataclass(frozen=True)
class Commands:
    """The commands that train and test a run.

    Args:
        tools: Folder with ``train.py`` and ``test.py``.
        cfg_options: ``KEY=VALUE`` strings for both.
        train_args: More arguments for the training.
        mix_options: ``KEY=VALUE`` strings for the methods of ``CONFIG+METHOD``.
    """

    tools: Path
    cfg_options: Sequence[str] = ()
    train_args: Sequence[str] = ()
    mix_options: Sequence[str] = ()

    def train(self, run: Run, resume: bool) -> list[str]:
        """Train a run, from its last checkpoint if ``resume``."""
        command = [sys.executable, str(self.tools / 'train.py'), run.config]
        command += ['--work-dir', str(run.folder), '--seed', str(run.seed)]
        command += [*self.train_args, *(['--resume'] if resume else [])]
        return command + self._options()

    def test(self, run: Run, checkpoint: str, folder: Path) -> list[str]:
        """Test a checkpoint of a run; logs and metrics go to ``folder``."""
        command = [sys.executable, str(self.tools / 'test.py'), run.config, checkpoint]
        command += ['--work-dir', str(folder)]
        return command + self._options()

    def _options(self) -> list[str]:
        named = ('--cfg-options', self.cfg_options), ('--mix-options', self.mix_options)
        return [part for name, values in named if values for part in (name, *values)]

    def fingerprint(self, config: str) -> str:
        """A digest of the config's content and of all further arguments.

        Raises:
            FileNotFoundError: If there is no such config.
        """
        content = read_config(config).to_dict()
        del content['work_dir']
        parts = [content, sorted(self.cfg_options), list(self.train_args)]
        if self.mix_options:
            parts.append(sorted(self.mix_options))
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
