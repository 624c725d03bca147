"""Metrics that mmdet lacks."""

from .coco_style_metric import CocoStyleMetric

__all__ = ['CocoStyleMetric']
