"""AlignMix: features of two images, aligned and then mixed."""

from .alignmix import AlignMix

__all__ = ['AlignMix']
