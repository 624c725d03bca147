"""Faster R-CNN's second stage with a supervision for mixed samples."""

from __future__ import annotations

import copy
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.alignmix.soft_assignment import transported_shares
from mmmix.models.alignmix.soft_rois import soft_cls_loss
from mmmix.models.merged_assignment import dominant_first
from mmmix.models.supervisions import Union, build_supervision
from mmmix.structures import COMPONENT_WEIGHT, TRANSPORT, Annotations

from .remembered_rois import Forward, RememberedRoIs, rows_are_independent
from .sample_weights import WeighingSampler
from .shared_rois import SharedRoIs, share_rois
from .weighted_box_loss import WeightedBoxLoss


@MODELS.register_module()
class MixStandardRoIHead(StandardRoIHead):
    """``StandardRoIHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``StandardRoIHead``, and so is the
    loss of a batch without mixed samples, bit for bit. The caller's proposals are
    not consumed; the stock head takes the boxes out of them.

    Under ``LossMix``, the logged accuracy is the average of the components', each
    with its mean weight in the batch; under ``BoxMix`` it is that of the dominant
    component's labels.

    Args:
        *args: As ``StandardRoIHead``.
        supervision: Config of a supervision, e.g. ``dict(type='LossMix')``. None
            means ``Union``. A sampler takes the place of mining here, so the
            three ``positives`` rules of ``BoxMix`` are one and the same: it
            draws from the RoIs that are positive in either component.
        **kwargs: As ``StandardRoIHead``.

    Raises:
        TypeError: If the box head cannot weigh its samples.
        ValueError: If there is a mask head, unless the supervision is ``Union``.
    """

    def __init__(
        self, *args: Any, supervision: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supervision = build_supervision(supervision)
        if not isinstance(self.supervision, Union):
            self._check_heads()

    def _check_heads(self) -> None:
        """Refuse heads that would ignore the weights of their samples."""
        if self.with_mask:
            raise ValueError(
                f'roi_head: {self.supervision!r} does not reach mask_head, whose loss '
                'has no weights; wrap the stock detector in LossMixDetector, or drop '
                'mask_head'
            )
        if not isinstance(self.bbox_head, WeightedBoxLoss):
            raise TypeError(
                f'roi_head: {self.supervision!r} needs a bbox_head that weighs its '
                'samples, MixBBoxHead or MixShared2FCBBoxHead; got '
                f'{type(self.bbox_head).__name__}'
            )

    def loss(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list[DetDataSample],
    ) -> dict[str, Tensor]:
        """Losses of a batch, mixed or not; arguments as ``StandardRoIHead``.

        Raises:
            TypeError, ValueError: See :meth:`Supervision.loss`.
        """
        gt_instances, ignored, metas = unpack_gt_instances(batch_data_samples)
        return self.supervision.loss(
            Annotations(gt_instances, metas, ignored),
            stock_loss=partial(
                self._weighted_loss, self._shared_forward(), x, rpn_results_list
            ),
            boxmix_loss=partial(self.loss_boxmix, x, rpn_results_list),
        )

    def loss_boxmix(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        components: list[Annotations],
        positives: str,
    ) -> dict[str, Tensor]:
        """BoxMix of two components (eq. 7-11) on one sample of RoIs.

        A RoI's class label is λ p + (1 - λ) p'; a component that ignores the RoI
        adds nothing. Offsets are the dominant component's, with weight 1, at the
        place of the dominant label where they are class-specific. Both terms are
        divided by the size of the sample. An image with a plan (AlignMix) has
        component 1's labels carried through it, and the offsets of component 0.

        Args:
            x: Feature maps, ``(N, C, H, W)`` each.
            rpn_results_list: N sets of proposals.
            components: Two batches of N images.
            positives: Without effect, see the class.

        Returns:
            ``loss_cls``, ``loss_bbox`` and ``acc``, scalars.

        Raises:
            TypeError: If the sampler mines hard samples.
        """
        components = dominant_first(components)
        shared = [
            self._share_rois(x, i, proposals, components)
            for i, proposals in enumerate(rpn_results_list)
        ]
        rois = bbox2roi([image.rois for image in shared])
        outputs = self._bbox_forward(x, rois)
        losses = self._component_loss(outputs, rois, shared, 0)
        if any(image.shares is not None for image in shared):
            lams = [meta[COMPONENT_WEIGHT] for meta in components[1].metas]
            others = soft_cls_loss(
                self.bbox_head, self.train_cfg, outputs['cls_score'], shared, lams
            )
        else:
            others = self._component_loss(outputs, rois, shared, 1)
        return losses | {
            name: losses[name] + value
            for name, value in others.items()
            if 'loss' in name
        }

    def _share_rois(
        self,
        x: tuple[Tensor, ...],
        index: int,
        proposals: InstanceData,
        components: list[Annotations],
    ) -> SharedRoIs:
        """One sample of an image's RoIs, as both components see it."""
        carry, meta = None, components[0].metas[index]
        if TRANSPORT in meta:
            carry = partial(
                transported_shares,
                transport=meta[TRANSPORT],
                num_classes=self.bbox_head.num_classes,
            )
        return share_rois(
            self.bbox_assigner,
            self.bbox_sampler,
            proposals.bboxes,
            [component.gt_instances[index] for component in components],
            [component.ignored[index] for component in components],
            [component.metas[index][COMPONENT_WEIGHT] for component in components],
            carry=carry,
            feats=[level[index][None] for level in x],
        )

    def _component_loss(
        self,
        outputs: dict[str, Tensor],
        rois: Tensor,
        shared: list[SharedRoIs],
        component: int,
    ) -> dict[str, Tensor]:
        """Losses of one component; box regression is that of component 0 only."""
        starts = accumulate((len(image.rois) for image in shared), initial=0)
        order = torch.cat(
            [image.orders[component] + start for image, start in zip(shared, starts)]
        )
        results = self.bbox_head.loss_and_target(
            cls_score=outputs['cls_score'][order],
            bbox_pred=outputs['bbox_pred'][order] if component == 0 else None,
            rois=rois[order],
            sampling_results=[image.views[component] for image in shared],
            rcnn_train_cfg=self.train_cfg,
        )
        return results['loss_bbox']

    def _shared_forward(self) -> Forward:
        """The forward of this batch's passes, which predicts each RoI once."""
        parts = [self.bbox_head]
        if self.with_shared_head:
            parts.append(self.shared_head)
        # A mask head reads RoI features, which are not remembered.
        if self.with_mask or not rows_are_independent(*parts):
            return self._bbox_forward
        return RememberedRoIs(self._bbox_forward)

    def _weighted_loss(
        self,
        forward: Forward,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        gt_instances: list[InstanceData],
        metas: list[dict[str, Any]],
        ignored: list[InstanceData | None],
    ) -> dict[str, Tensor]:
        """The stock loss with the weights that metainfo and boxes carry."""
        head = copy.copy(self)
        head._bbox_forward = forward
        head.bbox_sampler = WeighingSampler(self.bbox_sampler, metas)
        losses = super(MixStandardRoIHead, head).loss(
            x,
            [proposals.new() for proposals in rpn_results_list],
            [_data_sample(*image) for image in zip(gt_instances, metas, ignored)],
        )
        if COMPONENT_WEIGHT not in metas[0]:
            return losses
        share = sum(meta[COMPONENT_WEIGHT] for meta in metas) / len(metas)
        return {
            name: value if 'loss' in name else value * share
            for name, value in losses.items()
        }


def _data_sample(
    gt_instances: InstanceData, meta: dict[str, Any], ignored: InstanceData | None
) -> DetDataSample:
    """The data sample that the stock head unpacks again."""
    sample = DetDataSample(metainfo=meta, gt_instances=gt_instances)
    if ignored is not None:
        sample.ignored_instances = ignored
    return sample
