"""Metrics that mmdet lacks."""

from .metrics import CocoStyleMetric, PatchMetric, PseudoLabelMetric

__all__ = ['CocoStyleMetric', 'PatchMetric', 'PseudoLabelMetric']
