"""How many images a step of a run has, kept in its checkpoints."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmmix.engine.images_per_step import IMAGES_PER_STEP, images_per_step


class ImagesPerStepHook(Hook):
    """Writes processes, images of each, and passes of a step into checkpoints.

    Whoever resumes from one on another number of GPUs can keep the product.
    """

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Note the present numbers."""
        found = images_per_step(runner.cfg, get_world_size())
        if found is not None:
            checkpoint['meta'][IMAGES_PER_STEP] = found.to_dict()
