"""Gradients that change their sign on the way back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * -ctx.factor, None


def reverse_gradient(features: Tensor, factor: float = 1.0) -> Tensor:
    """The same values, whose gradient is multiplied by ``-factor``.

    What comes after learns as usual, what comes before learns the opposite
    (domain-adversarial training, https://arxiv.org/abs/1505.07818, eq. 9-10).

    Args:
        features: Any shape.
        factor: Not negative; 0 keeps the gradient back.
    """
    return _Reversal.apply(features, factor)
