"""The model of a run, without what it is wrapped in."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner


def unwrapped_model(runner: Runner) -> Any:
    """The model inside wrappers for distributed training and for ``--tta``."""
    return unwrapped(runner.model)


def unwrapped(model: Any) -> Any:
    """A model, or the one inside its wrappers, which mmengine loads into."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model
