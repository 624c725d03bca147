"""Mix-aware detectors."""

from .lossmix_detector import LossMixDetector

__all__ = ['LossMixDetector']
