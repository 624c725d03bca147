"""Metrics that mmdet lacks."""

from .coco_style_metric import CocoStyleMetric
from .patch_metric import PatchMetric
from .pseudo_label_metric import PseudoLabelMetric
from .voc_style_metric import VOCStyleMetric

__all__ = ['CocoStyleMetric', 'PatchMetric', 'PseudoLabelMetric', 'VOCStyleMetric']
