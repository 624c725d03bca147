"""Metrics that mmdet lacks."""

from .metrics import CocoStyleMetric

__all__ = ['CocoStyleMetric']
