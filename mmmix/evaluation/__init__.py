"""Metrics that mmdet lacks."""

from .metrics import CocoStyleMetric, PatchMetric, PseudoLabelMetric, VOCStyleMetric
from .voc_overlaps import voc_overlaps

__all__ = [
    'CocoStyleMetric',
    'PatchMetric',
    'PseudoLabelMetric',
    'VOCStyleMetric',
    'voc_overlaps',
]
