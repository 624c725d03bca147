"""SSD's head with a supervision for mixed samples."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.dense_heads import SSDHead
from mmdet.models.losses import smooth_l1_loss
from mmdet.registry import MODELS
from mmdet.structures.bbox import cat_boxes
from torch import Tensor

from mmmix.structures import COMPONENT_WEIGHT, Annotations

from .mix_anchor_head import MixAnchorHead
from .pair_targets import Levels, PairTargets


@MODELS.register_module()
class MixSSDHead(MixAnchorHead, SSDHead):
    """``SSDHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``SSDHead``, and so is the loss
    of a batch without mixed samples, bit for bit. It also repairs the missing
    ``loss_cls`` that stops stock SSD at its first prediction.

    Args:
        *args: As ``SSDHead``.
        supervision: Config of a supervision, e.g. ``dict(type='BoxMix')``. None
            means ``Union``.
        **kwargs: As ``SSDHead``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_cls = MODELS.build(dict(type='CrossEntropyLoss', use_sigmoid=False))

    def loss_by_feat_boxmix(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        components: list[Annotations],
        positives: str,
    ) -> dict[str, list[Tensor]]:
        """BoxMix of two components (eq. 7-11), mined as ``positives`` says.

        Classification and regression share one normaliser as in SSD:
        Σ_i max(n_i, 1) over the images, with n_i of the positives rule. An image
        with a plan (AlignMix) has component 1's labels carried through it, and the
        offsets of component 0, whose matches it counts for them.

        Args:
            cls_scores: Per level ``(N, num_anchors * (C + 1), H, W)``.
            bbox_preds: Per level ``(N, num_anchors * 4, H, W)``.
            components: Two batches of N images.
            positives: ``'dominant'``, ``'any'`` or ``'factored'``.

        Returns:
            Per image: ``loss_cls`` of shape ``(1,)`` and ``loss_bbox``, a scalar.
        """
        anchors, targets = self._component_targets(cls_scores, components)
        log_probs = self._flatten(cls_scores, self.cls_out_channels).log_softmax(-1)
        deltas = self._flatten(bbox_preds, 4)
        levels = Levels(
            [tuple(score.shape[2:]) for score in cls_scores],
            self.prior_generator.num_base_priors,
        )
        settings = (levels, self.train_cfg['neg_pos_ratio'], positives)
        images = [
            targets.of_image(i, log_probs[i], meta, *settings)
            for i, meta in enumerate(components[0].metas)
        ]
        avg_factor = sum(max(image.cls.num_pos, 1) for image in images)
        box_factor = sum(max(image.num_boxes, 1) for image in images)
        return dict(
            loss_cls=[image.cls.loss[None] / avg_factor for image in images],
            loss_bbox=[
                self._box_loss(
                    cat_boxes(anchors[i]),
                    deltas[i],
                    *image.boxes,
                    avg_factor=box_factor,
                )
                for i, image in enumerate(images)
            ],
        )

    def _component_targets(
        self, cls_scores: list[Tensor], components: list[Annotations]
    ) -> tuple[list[list[Tensor]], PairTargets]:
        """Targets of both components on the anchors of the mixed canvas.

        Returns:
            Anchors per image and level, and the pairs of targets, none of them
            scaled by the component's weight.
        """
        sizes = [score.shape[-2:] for score in cls_scores]
        metas = [
            {key: value for key, value in meta.items() if key != COMPONENT_WEIGHT}
            for meta in components[0].metas
        ]
        anchors, valid_flags = self.get_anchors(
            sizes, metas, device=cls_scores[0].device
        )
        sides = []
        for component in components:
            levels = self.get_targets(
                anchors,
                valid_flags,
                component.gt_instances,
                metas,
                batch_gt_instances_ignore=component.ignored,
                unmap_outputs=True,
            )[:4]
            sides.append([torch.cat(level, dim=1) for level in levels])
        labels, label_weights, boxes, box_weights = (
            list(zip(*pair)) for pair in zip(*sides)
        )
        box_pairs = [tuple(zip(*pair)) for pair in zip(boxes, box_weights)]
        return anchors, PairTargets(labels, label_weights, box_pairs)

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
