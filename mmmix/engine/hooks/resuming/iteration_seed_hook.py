"""Random numbers of the training step that do not depend on the past."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmdet.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmmix.mixing import counter_rng

# Sets these draws apart from others that start from the same counters.
_STREAM = 0x5EED


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seed the global generators of this process before every iteration.

    Dropout and the samplers of RoI heads draw from the global generators of
    Python, numpy and torch, whose states no checkpoint holds. Seeded from (seed,
    rank, iteration), they draw after a resume what they would have drawn without
    the stop. Worker processes that load data are not touched.
    """

    # Before any other hook of the iteration can draw.
    priority = 'VERY_HIGH'

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seed for this iteration."""
        rng = counter_rng(_STREAM, runner.seed, get_rank(), runner.iter)
        python, numpy, pytorch = rng.integers(2**32, size=3).tolist()
        random.seed(python)
        np.random.seed(numpy)
        torch.manual_seed(pytorch)
