"""Drawing mixed batches."""

from .draw_mix import (
    draw_branches,
    draw_mixed_batch,
    draw_preprocessed_batch,
    plain_preprocessor,
)
from .guarded import DrawingGuard, class_names

__all__ = [
    'DrawingGuard',
    'class_names',
    'draw_branches',
    'draw_mixed_batch',
    'draw_preprocessed_batch',
    'plain_preprocessor',
]
