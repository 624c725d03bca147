"""The settings that every mixer takes, checked in one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from mmmix.functional.blending import ALIGNMENTS

from .checks import check_choice, check_unit
from .ratios import build_ratio
from .supervision import build_supervision

PADS = ('mean', 'black')
KEEPS = ('all', 'dominant')
LEAST_VISIBLE = 0.25
"""Share of a clipped box that must be visible if nothing else is said."""

_REMOVED = {
    'boxes': (
        'whether CutMix keeps or clips boxes follows from its supervision; leave '
        "boxes out and write supervision=dict(type='Visible') or dict(type='Union') "
        "to clip them, dict(type='LossMix') or another that weighs by λ to keep them"
    ),
    'mode': (
        "leave mode out; each kind is a mixer of its own: type='MixBatch' or "
        "'MixImage' blends, type='CutMixBatch' or 'CutMixImage' pastes a region, "
        "type='PairBatch' pairs for AlignMix"
    ),
    'min_visibility': (
        "boxes are clipped by CutMix alone; use type='CutMixBatch' or 'CutMixImage', "
        'or leave min_visibility out'
    ),
}


class MixerSettings(NamedTuple):
    """What all mixers share.

    Attributes:
        ratio: The distribution of λ, built.
        supervision: How heads turn the mixed samples into a loss, built.
        align: Where an image lies on the canvas.
        pad: Colour of the uncovered canvas.
        keep: Whose boxes stay.
        prob: Probability that a sample is mixed.
        min_visibility: Share of a clipped box that must be visible; None where
            boxes are not clipped.
    """

    ratio: Any
    supervision: Any
    align: str
    pad: str
    keep: str
    prob: float
    min_visibility: float | None = None

    @classmethod
    def build(
        cls,
        ratio: Any,
        supervision: Any = None,
        align: str = 'center',
        pad: str = 'mean',
        keep: str = 'all',
        prob: float = 1.0,
        min_visibility: float | None = None,
        cuts: bool = False,
    ) -> MixerSettings:
        """Check the settings, and build the ratio and the supervision.

        Args:
            ratio: See the class, as all others.
            supervision: Likewise.
            align: Likewise.
            pad: Likewise.
            keep: Likewise.
            prob: Likewise.
            min_visibility: Likewise; None for ``LEAST_VISIBLE`` where boxes are
                clipped.
            cuts: Whether the mixer pastes a region.

        Raises:
            TypeError, ValueError, KeyError: Naming the setting, or the supervision
                and what would fit it.
        """
        built = build_supervision(supervision)
        (_check_pastes if cuts else _check_blends)(built)
        _check_keeps(check_choice('keep', keep, KEEPS), built)
        return cls(
            build_ratio(ratio),
            built,
            check_choice('align', align, ALIGNMENTS),
            check_choice('pad', pad, PADS),
            keep,
            check_unit('prob', prob),
            _least_visible(min_visibility, built) if cuts else None,
        )

    @property
    def clips(self) -> bool:
        """Whether boxes are cut to their visible part."""
        return self.min_visibility is not None

    def __str__(self) -> str:
        shown = {k: v for k, v in self._asdict().items() if v is not None}
        return ', '.join(f'{name}={value!r}' for name, value in shown.items())


def _check_blends(supervision: Any) -> None:
    """Refuse a supervision that reads what only CutMix records."""
    if not supervision.blends:
        name = type(supervision).__name__
        raise ValueError(
            f'supervision {name} weighs boxes by what is visible of them, and a mixer '
            f"that pastes nothing hides nothing. Use type='CutMixBatch' (or "
            f"'CutMixImage') with {name}, or supervision=dict(type='WeightedUnion')"
        )


def _check_pastes(supervision: Any) -> None:
    """Refuse a supervision that needs boxes both whole and clipped."""
    if not supervision.pastes:
        raise ValueError(
            f'{supervision} supervises the term that is switched off as Union, with '
            'boxes in full that a pasted region hides. Switch both on, or take '
            'MixBatch (or MixImage), or a supervision that clips boxes, '
            "dict(type='Visible') or dict(type='Union')"
        )


def _least_visible(share: Any, supervision: Any) -> float | None:
    """The share of a box that must be visible; None where boxes stay whole.

    Raises:
        TypeError, ValueError: If it is no share, or would have no effect.
    """
    if supervision.clips:
        return check_unit('min_visibility', LEAST_VISIBLE if share is None else share)
    if share is not None:
        raise ValueError(
            f'min_visibility={share!r} would have no effect: {supervision} weighs by '
            'λ and keeps all boxes whole. Leave it out, or take a supervision that '
            "clips boxes, dict(type='Visible') or dict(type='Union')"
        )
    return None


def _check_keeps(keep: str, supervision: Any) -> None:
    """Refuse a supervision of mixed samples where there will be none."""
    name = type(supervision).__name__
    if keep == 'dominant' and supervision.weighs != 'nothing':
        raise ValueError(
            "keep='dominant' keeps the boxes of one image only and makes unmixed "
            f'samples, of which {name} has nothing to weigh. Leave supervision out (or '
            "write dict(type='Union')), or use keep='all'"
        )


def refuse_unknown(mixer: str, names: Iterable[str]) -> None:
    """Refuse settings that a mixer does not have, and say what to write instead.

    Args:
        mixer: Name of the mixer.
        names: What was given beside the settings it has.

    Raises:
        TypeError: If there is one.
    """
    for name in names:
        hint = f': {_REMOVED[name]}' if name in _REMOVED else ''
        raise TypeError(f'{mixer} has no setting {name!r}{hint}')
