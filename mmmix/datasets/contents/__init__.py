"""What the annotations of data sets hold, noted while mmdet reads them."""

from .contents import Contents, Findings
from .image_watch import ImageNotes, own_labels, watched_images
from .watch import watched_loading

__all__ = [
    'Contents',
    'Findings',
    'ImageNotes',
    'own_labels',
    'watched_images',
    'watched_loading',
]
