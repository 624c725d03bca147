"""The settings that every mixer takes, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from mmmix.functional.blending import ALIGNMENTS

from .ratios import build_ratio

PADS = ('mean', 'black')
KEEPS = ('all', 'dominant')
MODES = ('blend', 'cutmix')
BOXES = ('keep', 'clip')


class MixerSettings(NamedTuple):
    """What ``MixBatch`` and ``MixImage`` share.

    Attributes:
        ratio: The distribution of λ, built.
        align: Where an image lies on the canvas.
        pad: Colour of the uncovered canvas.
        keep: Whose boxes stay.
        prob: Probability that a sample is mixed.
        mode: How two images become one.
        boxes: What CutMix makes of boxes that are partly hidden.
        min_visibility: Share of a clipped box that must be visible.
    """

    ratio: Any
    align: str
    pad: str
    keep: str
    prob: float
    mode: str = 'blend'
    boxes: str = 'keep'
    min_visibility: float = 0.25

    @classmethod
    def build(
        cls,
        ratio: Any,
        align: str,
        pad: str,
        keep: str,
        prob: float,
        mode: str = 'blend',
        boxes: str = 'keep',
        min_visibility: float = 0.25,
        modes: Sequence[str] = MODES,
    ) -> MixerSettings:
        """Check the settings and build the ratio.

        Args:
            ratio: See the class, as all others.
            align: Likewise.
            pad: Likewise.
            keep: Likewise.
            prob: Likewise.
            mode: Likewise.
            boxes: Likewise.
            min_visibility: Likewise.
            modes: What ``mode`` may be.

        Raises:
            TypeError, ValueError, KeyError: Naming the setting.
        """
        settings = cls(
            build_ratio(ratio),
            check_choice('align', align, ALIGNMENTS),
            check_choice('pad', pad, PADS),
            check_choice('keep', keep, KEEPS),
            check_unit('prob', prob),
            check_choice('mode', mode, modes),
            check_choice('boxes', boxes, BOXES),
            check_unit('min_visibility', min_visibility),
        )
        if settings.clips and mode != 'cutmix':
            raise ValueError(
                "boxes='clip' cuts boxes to what CutMix leaves visible and needs "
                f"mode='cutmix', got mode={mode!r}"
            )
        if settings.pairs_only and (align == 'center' or keep != 'all'):
            raise ValueError(
                "mode='pair' moves no pixels and keeps both images' boxes; it needs "
                "align='corner' or 'resize', and keep='all', got "
                f'{align=}, {keep=}'
            )
        return settings

    @property
    def pairs_only(self) -> bool:
        """Whether pixels are left alone, and a detector mixes features."""
        return self.mode == 'pair'

    @property
    def cuts(self) -> bool:
        """Whether a region of the partner is pasted."""
        return self.mode == 'cutmix'

    @property
    def clips(self) -> bool:
        """Whether boxes are cut to their visible part."""
        return self.boxes == 'clip'

    def __str__(self) -> str:
        return ', '.join(f'{name}={value!r}' for name, value in self._asdict().items())


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return ``value``, or say which values the setting takes.

    Raises:
        ValueError: If it is not among ``choices``.
    """
    if value not in choices:
        raise ValueError(f'{name} must be one of {list(choices)}, got {value!r}')
    return value


def check_unit(name: str, value: Any) -> float:
    """Return ``value`` as a float, or say that it must lie in [0, 1].

    Raises:
        TypeError: If it is no number.
        ValueError: If it is NaN or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f'{name} must be a number in [0, 1], got {value!r}')
    if math.isnan(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f'{name} must lie in [0, 1], got {value!r}')
    return float(value)


def check_bool(name: str, value: Any) -> bool:
    """Return ``value``, or say that it must be a switch.

    Raises:
        TypeError: If it is no bool.
    """
    if not isinstance(value, bool):
        raise TypeError(f'{name} must be True or False, got {value!r}')
    return value
