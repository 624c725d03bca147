"""How the components of a mixed batch become parts of a loss: one file each."""

from mmmix.mixing.supervision import build_supervision

from .boxmix import BoxMix
from .lossmix import LossMix
from .supervise import Supervised, image_factors, sum_losses, supervise
from .supervision import (
    Losses,
    Supervision,
    build_override,
)
from .union import Union
from .visible import Visible
from .weighted_union import WeightedUnion

__all__ = [
    'BoxMix',
    'LossMix',
    'Losses',
    'Supervised',
    'Supervision',
    'Union',
    'Visible',
    'WeightedUnion',
    'build_override',
    'build_supervision',
    'image_factors',
    'sum_losses',
    'supervise',
]
