"""Training with the channels of a pixel side by side in memory."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmmix.engine.unwrapped_model import unwrapped_model


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keeps the weights of convolutions in ``torch.channels_last``.

    Convolutions then compute in that layout. Depthwise ones take half the time on a
    CPU, and half-precision ones gain on a GPU with tensor cores. The values of weights,
    and files of weights, are what they were; results differ by rounding.

    Modules of ``mmcv.ops``, such as ``RoIAlign`` and the deformable convolutions, read
    memory as if channels came first, whatever the layout (mmcv's issue 2203): they keep
    their weights, and are given their inputs, as they read them.
    """

    def before_run(self, runner: Runner) -> None:
        """Convert the model before the first step of any loop."""
        model = unwrapped_model(runner).to(memory_format=torch.channels_last)
        for module in filter(_reads_raw_memory, model.modules()):
            module.to(memory_format=torch.contiguous_format)
            if _channels_first not in module._forward_pre_hooks.values():
                module.register_forward_pre_hook(_channels_first, with_kwargs=True)


def _reads_raw_memory(module: nn.Module) -> bool:
    """Whether it is one of mmcv's ops, or made of one."""
    return any(kind.__module__.startswith('mmcv.ops.') for kind in type(module).mro())


def _channels_first(
    module: nn.Module, args: tuple, kwargs: dict[str, Any]
) -> tuple[tuple, dict[str, Any]]:
    """The arguments of a call, with tensors as they are written down."""
    return (
        tuple(map(_contiguous, args)),
        {name: _contiguous(value) for name, value in kwargs.items()},
    )


def _contiguous(value: Any) -> Any:
    return value.contiguous() if isinstance(value, Tensor) else value
