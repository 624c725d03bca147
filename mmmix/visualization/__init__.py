"""Pictures of batches, and drawing that never ends a run."""

from mmmix.models.teachers.branches import plain_preprocessor

from .as_loaded import as_loaded
from .draw_mix import draw_branches, draw_mixed_batch, draw_preprocessed_batch
from .guarded import DrawingGuard, as_written, class_names

__all__ = [
    'DrawingGuard',
    'as_loaded',
    'as_written',
    'class_names',
    'draw_branches',
    'draw_mixed_batch',
    'draw_preprocessed_batch',
    'plain_preprocessor',
]
