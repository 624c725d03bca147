"""The perturbations of a robustness study, as the command line names them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmmix.apis.arguments import each_once
from mmmix.datasets.transforms.common_corruption import CORRUPTIONS
from mmmix.studies.trained.models.loaded_detector import LoadedDetector

SEVERITIES = (1, 2, 3, 4, 5)
FILLS = ('mean', 'black')
DEFAULT_LEVELS: dict[str, tuple[float, ...]] = {
    'gaussian': (0.1, 0.2, 0.4),  # BoxMix paper, Table 3
    'gaussian-normalized': (0.1, 0.2, 0.4),
    'hole': (0.25, 0.5, 0.75),  # CutMix paper, E.1: 0 to 224 of 224 pixels
    'boundary': (0.75, 0.5, 0.25),
    'fgsm': (8.0,),  # CutMix paper, E.1: 8/255
    **dict.fromkeys(CORRUPTIONS, SEVERITIES),
}
"""Kinds of perturbations, with the strengths that are studied unless others are."""

UNITS = {
    'gaussian': 'σ, black to white = 1',
    'gaussian-normalized': 'σ, after normalisation',
    'hole': 'hidden share of each side',
    'boundary': 'visible share of each side',
    'fgsm': 'ε, in 1/255',
}
"""What the level of a kind is; a severity for corruptions."""


@dataclass(frozen=True)
class Perturbation:
    """One way to perturb images.

    Attributes:
        kind: A key of :data:`DEFAULT_LEVELS`, or ``'clean'``.
        level: Its strength, in the unit of its kind.
    """

    kind: str
    level: float = 0.0

    def __str__(self) -> str:
        """Such as ``gaussian:0.1``, as :func:`parse_perturbations` reads it."""
        return self.kind if self.kind == 'clean' else f'{self.kind}:{self.level:g}'

    @property
    def stored_as(self) -> str:
        """Its name in a file of results; another one than before if what it does is.

        Results of an attack on whole batches, whose images met in one loss, are called
        ``fgsm:8``.
        """
        return f'{self}, each image alone' if self.kind == 'fgsm' else str(self)

    @property
    def common(self) -> bool:
        """Whether this is one of the 15 common corruptions."""
        return self.kind in CORRUPTIONS

    def transform(
        self, detector: LoadedDetector, seed: int, fill: str
    ) -> dict[str, Any] | None:
        """The transform that perturbs an image, or None if none does.

        Args:
            detector: Its preprocessor's mean and std are those of what is defined
                after normalisation.
            seed: Seed of all draws.
            fill: What covers hidden pixels, one of :data:`FILLS`.
        """
        mean, std = detector.mean.tolist(), detector.std.tolist()
        order = dict(bgr_to_rgb=detector.bgr_to_rgb)
        if self.kind.startswith('gaussian') and not self.common:
            noise = dict(type='GaussianNoise', sigma=self.level, seed=seed)
            normalized = dict(scale='normalized', std=std, **order)
            return noise | (normalized if self.kind != 'gaussian' else {})
        if self.kind in ('hole', 'boundary'):
            region = 'center' if self.kind == 'hole' else 'boundary'
            colour = mean if fill == 'mean' else [0.0] * 3
            hole = dict(type='OcclusionHole', size=self.level, region=region)
            return hole | dict(fill=colour, **order)
        if self.common:
            names = dict(name=self.kind, severity=int(self.level))
            return dict(type='CommonCorruption', seed=seed, **names)
        return None  # clean, or an attack on the model's own input


CLEAN = Perturbation('clean')


def parse_perturbations(texts: Sequence[str]) -> list[Perturbation]:
    """Read what ``--perturbations`` was given.

    Args:
        texts: Each ``KIND`` or ``KIND:LEVEL,LEVEL,...``, where ``corruptions``
            stands for all 15.

    Returns:
        The perturbations, clean images first, none twice.

    Raises:
        ValueError: If a kind is unknown, a level cannot be, or two agree in six digits.
    """
    found = [CLEAN]
    for text in texts:
        name, colon, levels = text.partition(':')
        kinds = CORRUPTIONS if name == 'corruptions' else (name,)
        for kind in kinds:
            if kind not in DEFAULT_LEVELS and kind != 'clean':
                known = 'clean, corruptions, ' + ', '.join(DEFAULT_LEVELS)
                raise ValueError(f'no perturbation {text!r}; there are {known}')
            if kind != 'clean':
                chosen = _levels(text, levels) if colon else DEFAULT_LEVELS[kind]
                found += [_checked(Perturbation(kind, level)) for level in chosen]
    return each_once(found, '--perturbations')


def _levels(text: str, levels: str) -> list[float]:
    try:
        return [float(level) for level in levels.split(',')]
    except ValueError as error:
        raise ValueError(
            f'a perturbation is KIND or KIND:LEVEL,LEVEL such as gaussian:0.1,0.2; '
            f'got {text!r}'
        ) from error


def _checked(perturbation: Perturbation) -> Perturbation:
    """The perturbation, if its level can be."""
    level = perturbation.level
    if perturbation.common:
        fits, expected = level in SEVERITIES, 'a severity from 1 to 5'
    elif perturbation.kind in ('hole', 'boundary'):
        fits, expected = 0 <= level <= 1, 'a share from 0 to 1'
    else:
        fits, expected = 0 <= level < math.inf, 'a level >= 0'
    if not fits:
        raise ValueError(f'{perturbation} expects {expected}')
    return perturbation
