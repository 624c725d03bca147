"""RetinaNet's head for mixed samples."""

from __future__ import annotations

from mmdet.models.dense_heads import RetinaHead
from mmdet.registry import MODELS

from .mix_anchor_head import MixAnchorHead


@MODELS.register_module()
class MixRetinaHead(MixAnchorHead, RetinaHead):
    """``RetinaHead`` that understands mixed samples; not for ``BoxMix``.

    Parameters and state-dict keys are those of ``RetinaHead``, and so is the loss of a
    batch without mixed samples, to 1e-6. Unlike ``LossMixDetector`` it weighs each
    image by its own λ, and makes the targets of all images and components at once.

    Args:
        *args: As ``RetinaHead``.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        **kwargs: As ``RetinaHead``.
    """
