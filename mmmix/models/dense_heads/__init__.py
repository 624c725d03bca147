"""Mix-aware dense heads."""

from .mix_ssd_head import MixSSDHead

__all__ = ['MixSSDHead']
