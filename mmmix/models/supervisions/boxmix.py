"""BoxMix: soft labels per anchor, offsets of the dominant component."""

from __future__ import annotations

from typing import Any

from mmmix.registry import SUPERVISIONS
from mmmix.structures import (
    Annotations,
    Factors,
    dominant_component,
    split_components,
)

from .supervision import Supervision


@SUPERVISIONS.register_module()
class BoxMix(Supervision):
    """Mix the anchor representations of two components (BoxMix, eq. 5-11).

    "Mixup Regularization for Region Proposal based Object Detectors"
    (https://arxiv.org/abs/2003.02065). Every anchor's label is
    λ p + (1 - λ) p' (eq. 8); its offset is the dominant component's (eq. 7,
    a tie goes to component 1). The components share one set of samples: where a
    head mines or draws, it does so once.

    Raises:
        TypeError: If it is given a setting; it has none.
    """

    joint = True

    def __init__(self, **unknown: Any) -> None:
        if 'positives' in unknown:
            raise TypeError(
                'positives is a setting of the head that mines; write '
                f'bbox_head=dict(mix_positives={unknown["positives"]!r})'
            )
        if unknown:
            raise TypeError(f'BoxMix takes no settings, got {sorted(unknown)}')

    def parts(self, batch: Annotations) -> list[Annotations]:
        """Both components; the dominant one of an image is regressed in full.

        Raises:
            ValueError: If there are more than two components.
        """
        components, weights = split_components(batch), batch.weights
        if len(components) != 2:
            raise ValueError(
                f'BoxMix takes two components, got {len(components)}; use a mixer of '
                "pairs, or supervision=dict(type='LossMix')"
            )
        dominant = [dominant_component(pair) for pair in weights]
        return [
            component.with_factors(
                [
                    Factors(pair[k], float(k == first))
                    for pair, first in zip(weights, dominant)
                ]
            )
            for k, component in enumerate(components)
        ]
