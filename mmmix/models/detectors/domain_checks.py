"""What ``MixedDomainTeacher`` refuses to train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmdet.registry import MODELS
from torch import nn

from mmmix.models.batch_augments import MixBatch

from .pseudo_regression import weighs_mixed_regression

MIXED_TERMS = ('mss', 'nst', 'mtt', 'mst')


def build_domain_mixers(mixers: Mapping[str, Any] | None) -> nn.ModuleDict:
    """The mixers of the terms that have one.

    Raises:
        ValueError: If a term is unknown, or the noise of ``nst`` could win.
        TypeError: If what is built does not mix batches.
    """
    mixers = dict(mixers or {})
    unknown = sorted(mixers.keys() - set(MIXED_TERMS))
    if unknown:
        raise ValueError(
            f'mixers has unknown terms {unknown}, expected {list(MIXED_TERMS)}'
        )
    built = {term: MODELS.build(cfg) for term, cfg in mixers.items() if cfg is not None}
    for term, mixer in built.items():
        if not isinstance(mixer, MixBatch):
            raise TypeError(
                f"mixers.{term} must be a mixer of batches, dict(type='MixBatch', "
                f'...), got {type(mixer).__name__}'
            )
    if 'nst' in built:
        _check_noise(built['nst'])
    return nn.ModuleDict(built)


def check_regression(detector: nn.Module) -> None:
    """Refuse source × target images that would teach pseudo-boxes.

    Raises:
        ValueError: If the losses of the detector cannot tell boxes apart.
    """
    if not weighs_mixed_regression(detector):
        raise ValueError(
            'mixers.mst mixes boxes with pseudo-boxes, and with '
            'semi_train_cfg.regress_pseudo=False only the former may teach box '
            f'regression, which the losses of {type(detector).__name__} do not tell '
            'apart. Use the mix-aware heads (and box head), or wrap it in '
            "dict(type='LossMixDetector', supervision=dict(type='LossMix')); or set "
            'regress_pseudo=True, or leave out mixers.mst'
        )


def _check_noise(mixer: MixBatch) -> None:
    """Make sure that the source, which has the labels, always is the heavier part.

    Raises:
        ValueError: If it may not be.
    """
    ratio = mixer.settings.ratio
    least = getattr(ratio, 'low', getattr(ratio, 'value', 0.0))
    if mixer.settings.keep != 'dominant' or least <= 0.5:
        raise ValueError(
            'mixers.nst mixes a little target into the source and keeps the labels of '
            "the source: it needs keep='dominant' and a weight of the source that is "
            "always above 0.5, such as ratio=dict(type='Uniform', low=0.9, high=1.0); "
            f'got {mixer}'
        )
