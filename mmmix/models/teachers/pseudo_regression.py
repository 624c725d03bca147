"""Keeping box regression away from pseudo-boxes."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.utils import reweight_loss_dict
from torch import nn

from mmmix.models.detectors import LossMixDetector
from mmmix.models.loss_terms import regression_names
from mmmix.models.roi_heads.weighted_box_loss import WeightedBoxLoss
from mmmix.models.supervisions import Losses, LossMix, Supervision


@runtime_checkable
class _WeighsBoxes(Protocol):
    """A head that says whether its loss honours the weights of single boxes."""

    honours_box_weights: ClassVar[bool]


def weighs_regression(detector: nn.Module) -> bool:
    """Whether the losses of a detector honour ``regression_weights``.

    A wrapped detector does for whole images. Another one does box by box if each of
    its parts that has a loss does; the box heads of a second stage have none of
    their own and must weigh their samples.
    """
    if isinstance(detector, LossMixDetector):
        return True
    heads = [part for part in detector.children() if hasattr(part, 'loss')]
    box_heads = [part for part in detector.modules() if isinstance(part, BBoxHead)]
    return (
        bool(heads)
        and all(map(_weighs_boxes, heads))
        and all(isinstance(head, WeightedBoxLoss) for head in box_heads)
    )


def weighs_mixed_regression(detector: nn.Module, supervision: Supervision) -> bool:
    """Whether it also does where labelled and pseudo-boxes meet in one image.

    A wrapped detector weighs whole losses. It can tell the boxes apart only if every
    loss is computed once per component.

    Args:
        detector: The detector; its own supervision goes before the mixer's.
        supervision: What the mixer of such images stamps.
    """
    if not isinstance(detector, LossMixDetector):
        return weighs_regression(detector)
    used = detector.supervision or supervision
    return isinstance(used, LossMix) and used.cls and used.reg


def without_regression(detector: nn.Module, losses: Losses) -> Losses:
    """Losses whose terms of box regression have weight 0.

    Args:
        detector: Whose losses they are.
        losses: By name, with or without that of a term in front.

    Raises:
        ValueError: If a name does not tell whether it is one.
    """
    regression = {name: losses[name] for name in regression_names(detector, losses)}
    return losses | reweight_loss_dict(regression, 0.0)


def _weighs_boxes(head: nn.Module) -> bool:
    return isinstance(head, _WeighsBoxes) and head.honours_box_weights
