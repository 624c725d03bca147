"""The page that shows a run."""

from .page import render_page
from .pictures import draw_examples, embedded, shrink
from .run_record import BINS, RunRecord

__all__ = [
    'BINS',
    'RunRecord',
    'draw_examples',
    'embedded',
    'render_page',
    'shrink',
]
