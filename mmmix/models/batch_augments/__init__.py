"""Mixers that work on a stacked batch."""

from .mix_batch import MixBatch

__all__ = ['MixBatch']
