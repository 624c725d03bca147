"""How a run mixes, kept in its checkpoints."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmmix.engine.described_mixers import MIXERS, described_mixers


class MixersHook(Hook):
    """Writes the mixers of the config and their settings into checkpoints.

    Whoever resumes from one with another method can be told.
    """

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Note the mixers."""
        checkpoint['meta'][MIXERS] = described_mixers(runner.cfg)
