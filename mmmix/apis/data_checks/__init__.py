"""The check of data: annotations, class names and images of all data sets of a run."""

from .check import check_data
from .class_names import Source, check_class_names
from .draws import check_batches, check_epochs_end, warn_of_plain_draws
from .images import check_images

__all__ = [
    'Source',
    'check_batches',
    'check_class_names',
    'check_data',
    'check_epochs_end',
    'check_images',
    'warn_of_plain_draws',
]
