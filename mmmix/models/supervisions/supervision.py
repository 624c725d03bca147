"""What every supervision has in common.

A supervision turns a batch into parts: batches of annotations that a stock head can
take, with a factor per image for its classification terms and one for its box
regression. It knows no head, and a head knows no supervision: it adds up its stock
loss over the parts, or computes one joint loss of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from mmmix.mixing.supervision import build_supervision
from mmmix.structures import Annotations

Losses = dict[str, Tensor | list[Tensor]]


class Supervision(ABC):
    """Turns the components of a mixed batch into parts.

    How many parts there are depends on its settings alone, never on what was drawn:
    many heads of mmdet exchange a normaliser in each pass, and processes that make
    different numbers of passes wait for each other for ever.

    Attributes:
        joint: Whether its parts share one set of samples.
        weighs: What its parts weigh: ``'nothing'``, whole ``'images'``, or single
            ``'boxes'``.
        clips: Whether CutMix has to clip boxes to what is visible. A supervision
            that weighs by λ needs all boxes, because λ already stands for what is
            hidden; one that does not needs them clipped.
        blends: Whether it makes sense where images are blended.
        pastes: Whether it makes sense where a region is pasted.
        separates: Whether box regression counts otherwise than all other terms.
    """

    joint: ClassVar[bool] = False
    weighs: ClassVar[str] = 'images'
    clips: ClassVar[bool] = False
    blends: ClassVar[bool] = True

    @property
    def separates(self) -> bool:
        """See the class."""
        return False

    @property
    def pastes(self) -> bool:
        """See the class."""
        return True

    @abstractmethod
    def parts(self, batch: Annotations) -> list[Annotations]:
        """The parts of a batch.

        Args:
            batch: Union annotations of N images, with their mixing fields.

        Raises:
            TypeError, ValueError: If the mixing fields are invalid, or boxes were
                clipped that this supervision needs whole.
        """

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __deepcopy__(self, memo: Any) -> Supervision:
        """Itself: nothing changes a supervision, and detectors copy their samples."""
        return self

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({settings})'


def build_override(supervision: Any) -> Supervision | None:
    """Build a head's own supervision; None leaves the choice to the mixer.

    Raises:
        TypeError, KeyError, ValueError: If the config is wrong.
    """
    return None if supervision is None else build_supervision(supervision)
