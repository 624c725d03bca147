"""Boxes from class activation maps, and how often they are right."""

from .cam_boxes import component_boxes, largest_box, stretched
from .measures import box_ious
from .metric import LocalizationMetric

__all__ = [
    'LocalizationMetric',
    'box_ious',
    'component_boxes',
    'largest_box',
    'stretched',
]
