"""Samplers for training on several sources."""

from .draw_index import DrawIndex
from .mix_source_sampler import MixSourceSampler

__all__ = ['DrawIndex', 'MixSourceSampler']
