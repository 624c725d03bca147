"""Labelled images with boxes, registered in mmpretrain's ``DATASETS``."""

from .boxed_cub import BoxedCUB
from .boxed_images import BoxedImages

__all__ = ['BoxedCUB', 'BoxedImages']
