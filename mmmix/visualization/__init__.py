"""Drawing mixed batches."""

from .draw_mix import (
    draw_branches,
    draw_mixed_batch,
    draw_preprocessed_batch,
    plain_preprocessor,
)

__all__ = [
    'draw_branches',
    'draw_mixed_batch',
    'draw_preprocessed_batch',
    'plain_preprocessor',
]
