"""What the annotations of data sets hold, noted while mmdet reads them."""

from .contents import Contents, Findings
from .watch import watched_loading

__all__ = ['Contents', 'Findings', 'watched_loading']
