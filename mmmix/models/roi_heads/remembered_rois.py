"""Predictions of RoIs that several passes sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

Outputs = dict[str, Tensor]
Forward = Callable[[tuple[Tensor, ...], Tensor], Outputs]

_PREDICTIONS = ('cls_score', 'bbox_pred')


class RememberedRoIs:
    """A box head's forward that predicts a RoI once although passes share it.

    The components' passes of ``LossMix`` sample from the same proposals, and about
    half of a second sample is in the first. The first call is the wrapped forward
    itself, bit for bit.

    Args:
        forward: ``StandardRoIHead._bbox_forward`` or alike; a RoI's predictions
            must not depend on the other RoIs, see :func:`rows_are_independent`.
    """

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._rois: Tensor | None = None
        self._outputs: Outputs = {}

    def __call__(self, x: tuple[Tensor, ...], rois: Tensor) -> Outputs:
        """Predictions of RoIs.

        Args:
            x: Feature maps, the same in every call.
            rois: ``(n, 5)``: index of the image, and box.

        Returns:
            ``cls_score`` and ``bbox_pred`` of n rows, and what else the wrapped
            forward gives if it is the first call.
        """
        if self._rois is None:
            outputs = self._forward(x, rois)
            self._rois = rois
            self._outputs = {name: outputs[name] for name in _PREDICTIONS}
            return outputs
        new = rois[~_same(rois, self._rois).any(dim=1)]
        if len(new):
            self._add(new, self._forward(x, new))
        places = _same(rois, self._rois).int().argmax(dim=1)
        return {name: rows[places] for name, rows in self._outputs.items()}

    def _add(self, rois: Tensor, outputs: Outputs) -> None:
        self._rois = torch.cat([self._rois, rois])
        self._outputs = {
            name: torch.cat([rows, outputs[name]])
            for name, rows in self._outputs.items()
        }


def rows_are_independent(*modules: nn.Module) -> bool:
    """Whether no module makes a row's result depend on other rows, or on chance.

    Batch normalisation in training mode does the former, dropout the latter.
    """
    return not any(
        isinstance(part, (_BatchNorm, _DropoutNd)) and part.training
        for module in modules
        for part in module.modules()
    )


def _same(one: Tensor, other: Tensor) -> Tensor:
    """``(n, m)``: which rows of two tables are equal."""
    return (one[:, None] == other[None]).all(dim=-1)
