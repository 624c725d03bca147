"""What ``MixedDomainTeacher`` refuses to train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from mmmix.models.batch_augments import BatchMixer

from .semi_checks import build_mixers, keeps_first

MIXED_TERMS = ('mss', 'nst', 'mtt', 'mst')


def build_domain_mixers(mixers: Mapping[str, Any] | None) -> nn.ModuleDict:
    """The mixers of the terms that have one.

    Raises:
        ValueError: If a term is unknown, or the noise of ``nst`` could win.
        TypeError: If what is built does not mix batches.
    """
    built = build_mixers(mixers, MIXED_TERMS)
    if 'nst' in built:
        _check_noise(built['nst'])
    return built


def _check_noise(mixer: BatchMixer) -> None:
    """Make sure that the source, which has the labels, always is the heavier part.

    Raises:
        ValueError: If it may not be.
    """
    if not keeps_first(mixer):
        raise ValueError(
            'mixers.nst mixes a little target into the source and keeps the labels of '
            "the source: it needs keep='dominant' and a weight of the source that is "
            "always above 0.5, such as ratio=dict(type='Uniform', low=0.9, high=1.0); "
            f'got {mixer}'
        )
