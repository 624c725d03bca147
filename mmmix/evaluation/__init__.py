"""Metrics that mmdet lacks."""

from .metrics import CocoStyleMetric, PseudoLabelMetric

__all__ = ['CocoStyleMetric', 'PseudoLabelMetric']
