"""LossMix: the weighted sum of the components' losses."""

from __future__ import annotations

from mmmix.mixing.checks import check_bool
from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations, Factors, split_components

from .supervision import Supervision


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
        self.cls = check_bool('cls', cls)
        self.reg = check_bool('reg', reg)

    @property
    def separates(self) -> bool:
        """Whether one of the terms is switched off."""
        return self.cls != self.reg

    @property
    def pastes(self) -> bool:
        """No term may be off: as ``Union`` it would teach, in full, what is hidden."""
        return self.cls and self.reg

    def parts(self, batch: Annotations) -> list[Annotations]:
        """The components, and the union for the terms that are switched off."""
        union = Factors(float(not self.cls), float(not self.reg))
        if union == (1.0, 1.0):
            return [batch]
        parts = [
            component.with_factors(
                [Factors(w[k] * self.cls, w[k] * self.reg) for w in batch.weights]
            )
            for k, component in enumerate(split_components(batch))
        ]
        if any(union):
            parts.append(batch.with_factors([union] * len(batch.metas)))
        return parts
