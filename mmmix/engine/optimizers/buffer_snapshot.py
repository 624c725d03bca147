"""The buffers that a training step writes, as they were before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BufferSnapshot:
    """A copy of the buffers of all modules in training mode.

    These are what a forward pass changes, the statistics of BatchNorm above all.
    One image that is not finite makes them not finite for good.

    Args:
        model: The model, before its forward pass.
    """

    def __init__(self, model: nn.Module) -> None:
        self._slots: list[tuple[dict[str, Tensor | None], str, Tensor]] = [
            (module._buffers, name, buffer.clone())
            for module in model.modules()
            if module.training
            for name, buffer in module._buffers.items()
            if buffer is not None
        ]

    @torch.no_grad()
    def restore(self) -> None:
        """Write the copies back, in place."""
        for buffers, name, saved in self._slots:
            buffers[name].copy_(saved)
