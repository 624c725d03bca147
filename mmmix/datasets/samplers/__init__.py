"""Samplers for training on several sources."""

from .draw_index import DrawIndex
from .mix_source_sampler import MixSourceSampler, check_source_batches

__all__ = ['DrawIndex', 'MixSourceSampler', 'check_source_batches']
