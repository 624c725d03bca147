"""CutMix, AlignMixup and LossMix for image classifiers, and what they localise.

An optional family on mmpretrain (``pip install 'mmmix[classification]'``). Nothing of
mmmix imports it but the commands that are for it; configs do, by
``custom_imports=dict(imports=['mmmix.classification'])``. Importing it registers its
types in mmpretrain's registries.
"""

from .requirement import check_mmpretrain

check_mmpretrain()

# The rest imports mmpretrain, so it can only follow the check.
from . import datasets, localization, models  # noqa: E402
from .cutmix import ClsCutMixBatch  # noqa: E402
from .pictures_hook import ClassPicturesHook  # noqa: E402

__all__ = [
    'ClassPicturesHook',
    'ClsCutMixBatch',
    'datasets',
    'localization',
    'models',
]
