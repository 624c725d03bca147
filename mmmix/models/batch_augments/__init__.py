"""Mixers that work on a stacked batch."""

from .batch_mixer import BatchMixer
from .cutmix_batch import CutMixBatch
from .mix_batch import MixBatch

__all__ = ['BatchMixer', 'CutMixBatch', 'MixBatch']
