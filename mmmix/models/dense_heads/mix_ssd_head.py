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
from .pair_targets import ImageTerms, PairTargets, image_terms


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
        log_probs = self._flatten(cls_scores, self.cls_out_channels).log_softmax(-1)
        deltas = self._flatten(bbox_preds, 4)
        metas = zip(*(part.metas for part in parts))
        images = [
            self._image_terms(scores, pair, part)
            for scores, pair, part in zip(log_probs, targets, metas)
        ]
        avg_factor = sum(max(image.cls.num_pos, 1) for image in images)
        box_factor = sum(max(image.num_boxes, 1) for image in images)
        return dict(
            loss_cls=[image.cls.loss[None] / avg_factor for image in images],
            loss_bbox=[
                self._box_loss(cat_boxes(levels), delta, *image.boxes, box_factor)
                for levels, delta, image in zip(anchors, deltas, images)
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
        return grid[0], [PairTargets.of(*pair) for pair in zip(*sides)]

    def _image_terms(
        self, log_probs: Tensor, targets: PairTargets, metas: tuple[dict, dict]
    ) -> ImageTerms:
        """What an image adds to the loss.

        Args:
            log_probs: ``(A, C + 1)``, float32.
            targets: The image's.
            metas: Its metainfo in either part, with its factors.
        """
        factors = [meta[LOSS_FACTORS] for meta in metas]
        ratio = self.train_cfg['neg_pos_ratio']
        return image_terms(log_probs, targets, factors, ratio, self.mix_positives)

    @staticmethod
    def _flatten(levels: list[Tensor], channels: int) -> Tensor:
        """Level maps to ``(N, A, channels)``, anchors in the stock order."""
        return torch.cat(
            [
                level.permute(0, 2, 3, 1).reshape(len(level), -1, channels)
                for level in levels
            ],
            dim=1,
        )

    def _box_loss(
        self,
        anchors: Tensor,
        deltas: Tensor,
        targets: Tensor,
        weights: Tensor,
        avg_factor: float,
    ) -> Tensor:
        """SSD's smooth L1 loss over one image's anchors."""
        if self.reg_decoded_bbox:
            deltas = self.bbox_coder.decode(anchors, deltas)
        return smooth_l1_loss(
            deltas,
            targets,
            weights,
            beta=self.train_cfg['smoothl1_beta'],
            avg_factor=avg_factor,
        )
