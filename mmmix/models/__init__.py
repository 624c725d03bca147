"""Mixers of batches, supervisions and mix-aware heads."""

from .batch_augments import MixBatch
from .dense_heads import MixSSDHead
from .supervisions import BoxMix, LossMix, Supervision, Union, WeightedUnion

__all__ = [
    'BoxMix',
    'LossMix',
    'MixBatch',
    'MixSSDHead',
    'Supervision',
    'Union',
    'WeightedUnion',
]
