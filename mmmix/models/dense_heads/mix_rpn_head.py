"""The region proposal network's head with a supervision for mixed samples."""

from __future__ import annotations

import copy

import torch
from mmdet.models.dense_heads import RPNHead
from mmdet.models.task_modules.prior_generators import anchor_inside_flags
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.models.utils import images_to_levels, multi_apply
from mmdet.registry import MODELS
from mmdet.structures.bbox import cat_boxes
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.alignmix.soft_assignment import all_negative, soft_assignment
from mmmix.models.merged_assignment import dominant_first, sample_once, seen_by
from mmmix.structures import COMPONENT_WEIGHT, TRANSPORT, Annotations

from .drawn_anchors import DrawnAnchors, carried_shares, split_by_share
from .mix_anchor_head import MixAnchorHead
from .pair_targets import Levels


@MODELS.register_module()
class MixRPNHead(MixAnchorHead, RPNHead):
    """``RPNHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``RPNHead``, and so is the loss
    of a batch without mixed samples, bit for bit. Proposals are predicted once,
    as in the stock head.

    Args:
        *args: As ``RPNHead``.
        supervision: Config of a supervision, e.g. ``dict(type='LossMix')``. None
            means ``Union``. A sampler takes the place of mining here, so the
            three ``positives`` rules of ``BoxMix`` are one and the same: it
            draws from the anchors that are positive in either component.
        **kwargs: As ``RPNHead``.
    """

    def loss_by_feat_boxmix(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        components: list[Annotations],
        positives: str,
    ) -> dict[str, list[Tensor]]:
        """BoxMix of two components (eq. 7-11) on one sample of anchors.

        An anchor's objectness target is λ o + (1 - λ) o'; a component that
        ignores the anchor adds nothing. Offsets are the dominant component's,
        with weight 1. Both terms are divided by the size of the sample. An image
        with a plan (AlignMix) has component 1's labels carried through it, and the
        offsets of component 0.

        Args:
            cls_scores: Per level ``(N, num_anchors, H, W)``.
            bbox_preds: Per level ``(N, num_anchors * 4, H, W)``.
            components: Two batches of N images.
            positives: Without effect, see the class.

        Returns:
            Per level: ``loss_rpn_cls`` and ``loss_rpn_bbox``, scalars.

        Raises:
            TypeError: If the sampler mines hard samples.
        """
        components = dominant_first(components)
        anchors, targets = self._component_targets(cls_scores, components)
        passes = [
            multi_apply(
                self.loss_by_feat_single,
                cls_scores,
                bbox_preds,
                anchors,
                *levels,
                avg_factor=avg_factor,
            )
            for *levels, avg_factor in targets
        ]
        cls_passes, (loss_bbox, *_) = zip(*passes)
        return dict(
            loss_rpn_cls=[sum(parts) for parts in zip(*cls_passes)],
            loss_rpn_bbox=loss_bbox,
        )

    def _component_targets(
        self, cls_scores: list[Tensor], components: list[Annotations]
    ) -> tuple[list[Tensor], list[tuple]]:
        """Targets of each component on one sample of anchors per image.

        Returns:
            Anchors per level, ``(N, A, 4)``, and per component what
            ``AnchorHead.get_targets`` returns, with label weights that are
            scaled by the component's weight and box weights that are not. If an
            image has a plan, component 1 has two of these, see
            :func:`split_by_share`.
        """
        metas = [
            {key: value for key, value in meta.items() if key != COMPONENT_WEIGHT}
            for meta in components[0].metas
        ]
        sizes = [score.shape[-2:] for score in cls_scores]
        grid = self.get_anchors(sizes, metas, device=cls_scores[0].device)
        levels = Levels(
            [tuple(size) for size in sizes], self.prior_generator.num_base_priors
        )
        views, shares = self._samples(*grid, components, levels)
        targets = []
        for component, samples in zip(components, views):
            labels, label_weights, *rest = self._with_samples(samples).get_targets(
                *grid, component.gt_instances, metas
            )
            factors = label_weights[0].new_tensor(
                [[meta[COMPONENT_WEIGHT]] for meta in component.metas]
            )
            targets.append((labels, [w * factors for w in label_weights], *rest))
        if any(share is not None for share in shares):
            targets[1:] = split_by_share(targets[1], shares)
        anchors = grid[0]
        return images_to_levels(
            [cat_boxes(levels) for levels in anchors],
            [len(level) for level in anchors[0]],
        ), targets

    def _samples(
        self,
        anchors: list[list[Tensor]],
        valid_flags: list[list[Tensor]],
        components: list[Annotations],
        levels: Levels,
    ) -> tuple[list[tuple[SamplingResult, ...]], list[Tensor | None]]:
        """One sample of anchors per image, as each component sees it.

        Returns:
            Per component: N sampling results on the anchors inside the image. And
            per image what its plan makes of component 1's labels, if it has one:
            ``(A, 2)`` shares of object and background; its sample then is all
            negative to component 1.
        """
        samples, shares = [], []
        for i, (boxes, flags) in enumerate(zip(anchors, valid_flags)):
            flat = cat_boxes(boxes)
            shape = components[0].metas[i]['img_shape'][:2]
            border = self.train_cfg['allowed_border']
            inside = anchor_inside_flags(flat, torch.cat(flags), shape, border)
            priors = flat[inside]
            gts = [component.gt_instances[i] for component in components]
            weights = [component.metas[i][COMPONENT_WEIGHT] for component in components]
            assigned = [
                self.assigner.assign(InstanceData(priors=priors), gt, c.ignored[i])
                for gt, c in zip(gts, components)
            ]
            seen, share = assigned, None
            if TRANSPORT in components[0].metas[i]:
                share = carried_shares(
                    assigned[1], inside, components[0].metas[i][TRANSPORT], levels
                )
                soft = soft_assignment(share[inside], len(gts[1]))
                assigned, seen = [assigned[0], soft], [assigned[0], all_negative(soft)]
            sample = sample_once(self.sampler, assigned, weights, priors, gts)
            samples.append([seen_by(sample, a, priors, gt) for a, gt in zip(seen, gts)])
            shares.append(share)
        return list(zip(*samples)), shares

    def _with_samples(self, samples: tuple[SamplingResult, ...]) -> MixRPNHead:
        """A view of this head that takes these samples, one per image."""
        head = copy.copy(self)
        head.assigner = head.sampler = DrawnAnchors(samples)
        return head
