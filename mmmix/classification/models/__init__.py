"""Backbones, heads and classifiers, registered in mmpretrain's ``MODELS``."""

from .align_mix_classifier import AlignMixClassifier
from .cam_head import CAMHead
from .lossmix_head import LossMixHead
from .preact_resnet import PreActResNet
from .pyramidnet import PyramidNet
from .vgg_gap import VGGGAP

__all__ = [
    'VGGGAP',
    'AlignMixClassifier',
    'CAMHead',
    'LossMixHead',
    'PreActResNet',
    'PyramidNet',
]
