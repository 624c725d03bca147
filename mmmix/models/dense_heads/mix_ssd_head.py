"""SSD's head for mixed samples."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.dense_heads import SSDHead
from mmdet.models.losses import smooth_l1_loss
from mmdet.models.task_modules.samplers import PseudoSampler
from mmdet.registry import MODELS
from mmdet.structures.bbox import get_box_tensor
from torch import Tensor

from mmmix.functional.soft_losses import (
    POSITIVES,
    ClsLosses,
    boxmix_cls_losses,
    hard_losses,
    split_losses,
)
from mmmix.mixing.checks import check_choice
from mmmix.mixing.untraced import untraced
from mmmix.models.prior_targets import EPS, PriorTargets, encode_boxes
from mmmix.models.supervisions import Losses
from mmmix.structures import LOSS_FACTORS, Annotations

from .anchor_grid import flat_predictions
from .mix_anchor_head import MixAnchorHead


@MODELS.register_module()
class MixSSDHead(MixAnchorHead, SSDHead):
    """``SSDHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``SSDHead``, and so is the loss
    of a batch without mixed samples, to 1e-6: all images and components are assigned,
    mined and summed at once, without a value that is read from the device. It also
    repairs the missing ``loss_cls`` that stops stock SSD at its first prediction.

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

    def parts_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """The stock loss of each part, mined and normalised apart, and their sum.

        Returns:
            Per image: ``loss_cls`` of shape ``(1,)`` and ``loss_bbox``, a scalar.
        """
        if type(self.sampler) is not PseudoSampler:
            return super().parts_loss(cls_scores, bbox_preds, parts)
        targets = self.batch_targets(cls_scores, parts)
        log_probs = self._log_probs(cls_scores)
        losses = hard_losses(log_probs, targets.labels, targets.label_weights)
        is_pos = targets.labels < self.num_classes
        cls = split_losses(losses, is_pos, self.train_cfg['neg_pos_ratio'])
        boxes = self._box_losses(
            bbox_preds, targets.priors, targets.boxes, targets.box_weights
        )
        total = cls.num_pos.clamp(min=1).sum(dim=-1, keepdim=True)
        shares = targets.factors.to(log_probs)
        return dict(
            loss_cls=list((cls.loss * shares[..., 0] / total).sum(dim=0).split(1)),
            loss_bbox=list((boxes * shares[..., 1] / (total + EPS)).sum(dim=0)),
        )

    @untraced  # images differ in the component that is regressed
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
        targets = self.batch_targets(cls_scores, parts)
        log_probs = self._log_probs(cls_scores)
        first = [int(not meta[LOSS_FACTORS].reg) for meta in parts[0].metas]
        cls, num_boxes = self._joint_cls(log_probs, targets, parts, first)
        boxes, weights = (
            torch.stack([rows[k, i] for i, k in enumerate(first)])
            for rows in (targets.boxes, targets.box_weights)
        )
        losses = self._box_losses(bbox_preds, targets.priors, boxes, weights)
        total, box_total = (n.clamp(min=1).sum() for n in (cls.num_pos, num_boxes))
        return dict(
            loss_cls=list((cls.loss / total.to(cls.loss)).split(1)),
            loss_bbox=list(losses / (box_total + EPS).to(losses)),
        )

    def _log_probs(self, cls_scores: list[Tensor]) -> Tensor:
        """``(N, A, C + 1)`` of single precision, as mmdet's loss has it by autocast."""
        scores = flat_predictions(cls_scores, self.cls_out_channels)
        return scores.float().log_softmax(-1)

    def _joint_cls(
        self,
        log_probs: Tensor,
        targets: PriorTargets,
        parts: list[Annotations],
        first: list[int],
    ) -> tuple[ClsLosses, Tensor]:
        """Classification losses of the images, and n for that of the offsets.

        Args:
            log_probs: ``(N, A, C + 1)``.
            targets: Of both parts.
            parts: Two batches of N images.
            first: Which of them is regressed, of each image.
        """
        losses = boxmix_cls_losses(
            log_probs,
            targets.labels,
            targets.label_weights,
            targets.factors[..., 0],
            self.train_cfg['neg_pos_ratio'],
            self.mix_positives,
            first,
        )
        return losses, losses.num_pos

    def _box_losses(
        self, bbox_preds: list[Tensor], anchors: Tensor, boxes: Tensor, weights: Tensor
    ) -> Tensor:
        """Sum of the weighted box losses of each image, ``(..., N)``.

        Args:
            bbox_preds: Per level ``(N, num_anchors * 4, H, W)``.
            anchors: ``(A, 4)``.
            boxes: ``(..., N, A, 4)``.
            weights: ``(..., N, A)``.
        """
        deltas = flat_predictions(bbox_preds, 4)
        if self.reg_decoded_bbox:
            priors = anchors.expand_as(deltas).reshape(-1, 4)
            decoded = self.bbox_coder.decode(priors, deltas.reshape(-1, 4))
            deltas = get_box_tensor(decoded).view_as(deltas)
        losses = smooth_l1_loss(
            deltas.expand_as(boxes),
            encode_boxes(self, anchors, boxes),
            weights[..., None],
            beta=self.train_cfg['smoothl1_beta'],
            reduction='none',
        )
        return losses.sum(dim=(-2, -1))
