"""Box heads of the second stage that understand weighted samples."""

from __future__ import annotations

from mmdet.models.roi_heads.bbox_heads import BBoxHead, Shared2FCBBoxHead
from mmdet.registry import MODELS

from .weighted_box_loss import WeightedBoxLoss


@MODELS.register_module()
class MixBBoxHead(WeightedBoxLoss, BBoxHead):
    """``BBoxHead`` for ``MixStandardRoIHead``; arguments and keys are the same."""


@MODELS.register_module()
class MixShared2FCBBoxHead(WeightedBoxLoss, Shared2FCBBoxHead):
    """``Shared2FCBBoxHead`` for ``MixStandardRoIHead``; likewise unchanged."""
