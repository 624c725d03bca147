"""Drawing mixed batches."""

from .draw_mix import draw_mixed_batch, draw_preprocessed_batch

__all__ = ['draw_mixed_batch', 'draw_preprocessed_batch']
