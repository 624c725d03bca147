"""AlignMix: features of two images, aligned and then mixed."""

from .alignmix import AlignMix
from .pair_batch import PairBatch

__all__ = ['AlignMix', 'PairBatch']
