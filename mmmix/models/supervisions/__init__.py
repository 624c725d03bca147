"""How a head turns weighted components into a loss: one file each."""

from .boxmix import BoxMix
from .lossmix import LossMix
from .supervision import Supervision, build_supervision
from .union import Union
from .visible import Visible
from .weighted_union import WeightedUnion

__all__ = [
    'BoxMix',
    'LossMix',
    'Supervision',
    'Union',
    'Visible',
    'WeightedUnion',
    'build_supervision',
]
