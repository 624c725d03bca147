"""LossMix: the weighted sum of the components' losses."""

from __future__ import annotations

from torch import Tensor

from mmmix.models.loss_terms import is_regression
from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations, split_components

from .supervision import BoxMixLoss, Losses, StockLoss, Supervision


@SUPERVISIONS.register_module()
class LossMix(Supervision):
    """Σ_k w_k L(f(x̃), y_k), exact (LossMix, eq. 4-6 and 13-14).

    "LossMix: Simplify and Generalize Mixup for Object Detection and Beyond"
    (https://arxiv.org/abs/2303.10343). The stock loss runs once per component
    on the same predictions; per-image weights enter before any reduction, and
    each pass keeps its own stock normaliser.

    Args:
        cls: Mix the classification terms (every loss but box regression).
        reg: Mix the box regression terms. A term that is switched off is
            supervised as ``Union`` (LossMix, Table 3).

    Raises:
        TypeError: If a switch is no bool.
    """

    def __init__(self, cls: bool = True, reg: bool = True) -> None:
        for name, switch in (('cls', cls), ('reg', reg)):
            if not isinstance(switch, bool):
                raise TypeError(f'{name} must be True or False, got {switch!r}')
        self.cls = cls
        self.reg = reg

    def mixed_loss(
        self,
        batch: Annotations,
        stock_loss: StockLoss,
        boxmix_loss: BoxMixLoss | None,
    ) -> Losses:
        """See :class:`Supervision`."""
        if not (self.cls or self.reg):
            return stock_loss(*batch)
        passes = [stock_loss(*component) for component in split_components(batch)]
        # A pass may lack a term: a RoI head without RoIs gives no ``loss_cls``.
        names = dict.fromkeys(name for losses in passes for name in losses)
        losses = {
            name: _total([losses[name] for losses in passes if name in losses])
            for name in names
        }
        if self.cls and self.reg:
            return losses
        union = stock_loss(*batch)
        return {
            name: value
            for source, mixed in ((losses, True), (union, False))
            for name, value in source.items()
            if self._is_mixed_term(name) == mixed
        }

    def _is_mixed_term(self, name: str) -> bool:
        return self.reg if is_regression(name) else self.cls


def _total(values: list[Tensor | list[Tensor]]) -> Tensor | list[Tensor]:
    """Sum of the passes; mmdet gives lists per image or per level."""
    if isinstance(values[0], list):
        return [_total(list(parts)) for parts in zip(*values)]
    return sum(values[1:], values[0])
