"""Finding the mixers of a running training."""

from __future__ import annotations

from itertools import chain
from typing import Any

from torch import nn

from mmmix.datasets.nested import pipelines
from mmmix.datasets.transforms import ImageMixer
from mmmix.models.batch_augments import BatchMixer

ALIGNED = 'AlignMixClassifier'
"""The classifier that mixes by itself; a name, since mmpretrain need not be there."""


def find_batch_mixers(model: nn.Module) -> list[BatchMixer]:
    """All mixers of batches inside a model, wrapped or not."""
    return [module for module in model.modules() if isinstance(module, BatchMixer)]


def find_image_mixers(dataset: Any) -> list[ImageMixer]:
    """All mixers of images in the pipelines of a dataset and what it wraps."""
    steps = chain.from_iterable(pipelines(dataset))
    return [step for step in steps if isinstance(step, ImageMixer)]


def label_mixers(model: nn.Module) -> list[str]:
    """What mixes the images and labels of a classifier's batches, by name.

    Told by names, as above.
    """
    if is_called(model, ALIGNED):
        return [ALIGNED]
    augments = getattr(model, 'data_preprocessor', None)
    augments = getattr(augments, 'batch_augments', None)
    # None stands for the share of batches that stays as it is.
    return [
        type(one).__name__
        for one in getattr(augments, 'augments', ())
        if one is not None
    ]


def is_called(module: Any, name: str) -> bool:
    """Whether a class of this name is among those of an object."""
    return any(cls.__name__ == name for cls in type(module).__mro__)
