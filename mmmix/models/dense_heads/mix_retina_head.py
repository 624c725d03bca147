"""RetinaNet's head for mixed samples."""

from __future__ import annotations

from mmdet.models.dense_heads import RetinaHead
from mmdet.registry import MODELS
from torch import Tensor

from mmmix.models.supervisions import Losses
from mmmix.structures import Annotations

from .mix_anchor_head import MixAnchorHead


@MODELS.register_module()
class MixRetinaHead(MixAnchorHead, RetinaHead):
    """``RetinaHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``RetinaHead``, and so is the loss of a
    batch without mixed samples, to 1e-6. Unlike ``LossMixDetector`` it weighs each
    image by its own λ, and makes the targets of all images and components at once.

    Args:
        *args: As ``RetinaHead``.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        **kwargs: As ``RetinaHead``.
    """

    def joint_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """The loss of BoxMix's parts, each with its own normaliser.

        RetinaNet neither samples nor mines, so the parts are passes as any other: λ
        weighs the focal losses of the two labels, which BoxMix's soft label (eq. 8)
        amounts to where a loss is linear in its target, and the dominant component
        alone is regressed.
        """
        return self.parts_loss(cls_scores, bbox_preds, parts)
