"""Mix-aware detectors."""

from .level_mix_detector import LevelMixDetector
from .lossmix_detector import LossMixDetector

__all__ = ['LevelMixDetector', 'LossMixDetector']
