"""``compile`` of a config, for what a compiler can make something of."""

from __future__ import annotations

import torch
from mmengine.runner import Runner

from mmmix.engine.unwrapped_model import unwrapped_model


def leave_samples_alone(runner: Runner) -> None:
    """Have a compiled step prepare its data as it is.

    mmengine compiles the whole step, and copies the metainfo of samples in it: a graph
    then holds for the very images that it was traced with, so that each iteration is
    compiled anew, until the compiler's limit, whether the run mixes or not.

    Args:
        runner: Of a training that is about to begin.
    """
    if runner.cfg.get('compile'):
        preprocessor = unwrapped_model(runner).data_preprocessor
        preprocessor.forward = torch.compiler.disable(preprocessor.forward)
