"""SSD's head for mixed samples."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.dense_heads import SSDHead
from mmdet.models.losses import smooth_l1_loss
from mmdet.registry import MODELS
from mmdet.structures.bbox import cat_boxes
from torch import Tensor

from mmmix.functional.soft_losses import POSITIVES
from mmmix.mixing.checks import check_choice
from mmmix.models.supervisions import Losses
from mmmix.structures import LOSS_FACTORS, Annotations

from .mix_anchor_head import MixAnchorHead
from .pair_targets import PairTargets


@MODELS.register_module()
class MixSSDHead(MixAnchorHead, SSDHead):
    """``SSDHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``SSDHead``, and so is the loss
    of a batch without mixed samples, bit for bit. It also repairs the missing
    ``loss_cls`` that stops stock SSD at its first prediction.

    Args:
        *args: As ``SSDHead``.
        mix_positives: Which anchors BoxMix counts as positives while negatives are
            mined: ``'dominant'``, ``'any'`` or ``'factored'``; see
            :func:`mmmix.functional.boxmix_cls_losses`.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        **kwargs: As ``SSDHead``.

    Raises:
        ValueError: If ``mix_positives`` is none of these.
    """

    def __init__(
        self, *args: Any, mix_positives: str = 'dominant', **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.mix_positives = check_choice('mix_positives', mix_positives, POSITIVES)
        self.loss_cls = MODELS.build(dict(type='CrossEntropyLoss', use_sigmoid=False))

    def joint_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """BoxMix of two components (eq. 7-11), mined as ``mix_positives`` says.

        Classification and regression share one normaliser as in SSD:
        Σ_i max(n_i, 1) over the images, with n_i of the positives rule.

        Args:
            cls_scores: Per level ``(N, num_anchors * (C + 1), H, W)``.
            bbox_preds: Per level ``(N, num_anchors * 4, H, W)``.
            parts: Two batches of N images.

        Returns:
            Per image: ``loss_cls`` of shape ``(1,)`` and ``loss_bbox``, a scalar.
        """
        anchors, targets = self._pair_targets(cls_scores, parts)
        scores, deltas = (
            torch.cat(
                [m.permute(0, 2, 3, 1).reshape(len(m), -1, width) for m in maps], dim=1
            )
            for maps, width in ((cls_scores, self.cls_out_channels), (bbox_preds, 4))
        )
        rule = (self.train_cfg['neg_pos_ratio'], self.mix_positives)
        factors = zip(*([meta[LOSS_FACTORS] for meta in p.metas] for p in parts))
        images = [
            pair.terms(log_probs, pair_factors, *rule)
            for pair, log_probs, pair_factors in zip(
                targets, scores.log_softmax(-1), factors
            )
        ]
        if self.reg_decoded_bbox:
            deltas = map(self.bbox_coder.decode, map(cat_boxes, anchors), deltas)
        avg_factor = sum(max(image.cls.num_pos, 1) for image in images)
        box_factor = sum(max(image.num_boxes, 1) for image in images)
        beta = self.train_cfg['smoothl1_beta']
        return dict(
            loss_cls=[image.cls.loss[None] / avg_factor for image in images],
            loss_bbox=[
                smooth_l1_loss(delta, *image.boxes, beta=beta, avg_factor=box_factor)
                for delta, image in zip(deltas, images)
            ],
        )

    def _pair_targets(
        self, cls_scores: list[Tensor], parts: list[Annotations]
    ) -> tuple[list[list[Tensor]], list[PairTargets]]:
        """Targets of both components on the anchors of the mixed canvas.

        Returns:
            Anchors per image and level, and the targets of each image, none of them
            scaled by a factor of the image.
        """
        sizes = [score.shape[-2:] for score in cls_scores]
        metas = [
            {key: value for key, value in meta.items() if key != LOSS_FACTORS}
            for meta in parts[0].metas
        ]
        grid = self.get_anchors(sizes, metas, device=cls_scores[0].device)
        sides = []
        for part in parts:
            levels = self.get_targets(
                *grid,
                part.gt_instances,
                metas,
                batch_gt_instances_ignore=part.ignored,
                unmap_outputs=True,
            )[:4]
            sides.append(zip(*(torch.cat(level, dim=1) for level in levels)))
        return grid[0], [PairTargets(*zip(*pair)) for pair in zip(*sides)]
