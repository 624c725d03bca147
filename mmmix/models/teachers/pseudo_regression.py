"""Keeping box regression away from pseudo-boxes."""

from __future__ import annotations

from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.utils import reweight_loss_dict
from torch import nn

from mmmix.models.loss_terms import regression_names
from mmmix.models.roi_heads.weighted_box_loss import WeightedBoxLoss
from mmmix.models.supervisions import LossMix, Supervision
from mmmix.models.supervisions.supervision import Losses


def weighs_regression(detector: nn.Module) -> bool:
    """Whether the losses of a detector honour ``regression_weights`` box by box.

    Everything that has a supervision of mixed samples does: the detector as a
    whole or each of its parts that has a loss. The box heads of a second stage
    have none of their own and must weigh their samples.
    """
    if _has_supervision(detector):
        return True
    heads = [part for part in detector.children() if hasattr(part, 'loss')]
    box_heads = [part for part in detector.modules() if isinstance(part, BBoxHead)]
    return (
        bool(heads)
        and all(map(_has_supervision, heads))
        and all(isinstance(head, WeightedBoxLoss) for head in box_heads)
    )


def weighs_mixed_regression(detector: nn.Module) -> bool:
    """Whether it also does where labelled and pseudo-boxes meet in one image.

    A supervision of a whole detector weighs whole losses. It can tell them apart
    only if every loss is computed once per component.
    """
    supervision = getattr(detector, 'supervision', None)
    if not isinstance(supervision, Supervision):
        return weighs_regression(detector)
    return isinstance(supervision, LossMix) and supervision.cls and supervision.reg


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


def _has_supervision(part: nn.Module) -> bool:
    return isinstance(getattr(part, 'supervision', None), Supervision)
