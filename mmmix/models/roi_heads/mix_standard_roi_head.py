"""Faster R-CNN's second stage for mixed samples."""

from __future__ import annotations

from typing import Any

from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.task_modules.samplers import RandomSampler
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmmix.mixing.counters import CallCounter, Stream
from mmmix.models.batch_assignment import iou_rule, say_slow
from mmmix.models.loss_weights import check_heeded, gives_elements
from mmmix.models.supervisions import (
    Losses,
    build_override,
    supervise,
)
from mmmix.structures import Annotations

from .batch_rois import draw_rois
from .rois_by_image import Maps, RoIsByImage
from .weighted_box_loss import WeightedBoxLoss


@MODELS.register_module()
class MixStandardRoIHead(RoIsByImage, StandardRoIHead):
    """``StandardRoIHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``StandardRoIHead``, and so is the
    loss of a batch without mixed samples, to 1e-6 on the same sample of RoIs. RoIs of
    all images and components are assigned and drawn at once: as many as by
    ``RandomSampler``, by (seed, rank, iteration, call) alone; each is predicted once.
    Other assigners, samplers and box losses, and a mask head, go image by image, and
    the log says so once. The caller's proposals are not consumed; the stock head takes
    the boxes out of them.

    Under ``LossMix``, the logged accuracy is the average of the components', each
    with its mean weight in the batch; under ``BoxMix`` it is that of the dominant
    component's labels.

    Args:
        *args: As ``StandardRoIHead``.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        **kwargs: As ``StandardRoIHead``.

    Raises:
        TypeError: If the box head cannot weigh its samples.
        ValueError: If there is a mask head, no box regression, or a loss that does not
            heed weights, unless the supervision is ``Union``.
    """

    honours_box_weights = True

    def __init__(
        self, *args: Any, supervision: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supervision = build_override(supervision)
        if self.supervision is not None:
            self.check_weighs(self.supervision)

    def check_weighs(self, supervision: Any) -> None:
        """Refuse heads that would ignore the weights of their samples.

        Args:
            supervision: What weighs them, if it does.

        Raises:
            TypeError, ValueError: If the mask head, the box head or a loss would.
        """
        if supervision.weighs == 'nothing':
            return
        if self.with_mask:
            raise ValueError(
                f'roi_head: {supervision!r} does not reach mask_head, whose loss '
                'has no weights; wrap the stock detector in LossMixDetector, or drop '
                'mask_head'
            )
        if not isinstance(self.bbox_head, WeightedBoxLoss):
            raise TypeError(
                f'roi_head: {supervision!r} needs a bbox_head that weighs its '
                'samples, MixBBoxHead or MixShared2FCBBoxHead; got '
                f'{type(self.bbox_head).__name__}'
            )
        if not self.bbox_head.with_reg:
            raise ValueError(
                f'roi_head: {supervision!r} needs a bbox_head that regresses, got '
                'with_reg=False; wrap the stock detector in LossMixDetector'
            )
        check_heeded('roi_head.bbox_head', self.bbox_head, supervision)

    def loss(
        self,
        x: Maps,
        rpn_results_list: list[InstanceData],
        batch_data_samples: list[DetDataSample],
    ) -> Losses:
        """Losses of a batch, mixed or not; arguments as ``StandardRoIHead``.

        Raises:
            TypeError, ValueError: If the mixing fields are invalid, or the
                supervision does not fit the head or the mixer.
        """
        gt_instances, ignored, metas = unpack_gt_instances(batch_data_samples)
        batch = Annotations(gt_instances, metas, ignored)
        supervised = supervise(batch, self.supervision)
        if supervised.supervision is not None:
            self.check_weighs(supervised.supervision)
        if supervised.joint:
            return self.joint_loss(x, rpn_results_list, supervised.parts)
        if self.draws_at_once(len(supervised.parts)):
            return self._batch_loss(x, rpn_results_list, supervised.parts, joint=False)
        return self.parts_loss_by_image(x, rpn_results_list, supervised.parts)

    def draws_at_once(self, num_passes: int = 1) -> bool:
        """Whether all that makes targets and losses is known; the log says once if not.

        Args:
            num_passes: More than one pass predicts a RoI anew for each if a RoI's
                predictions depend on the others, or on chance.
        """
        sampler, losses = self.bbox_sampler, ('loss', 'get_targets')
        known = (
            type(sampler) is RandomSampler
            and iou_rule(self.bbox_assigner) is not None
            and not self.with_mask
            and type(self).bbox_loss is StandardRoIHead.bbox_loss
            and isinstance(self.bbox_head, WeightedBoxLoss)
            and all(
                getattr(type(self.bbox_head), name) is getattr(BBoxHead, name)
                for name in losses
            )
            and not self.bbox_head.custom_activation
            and self.bbox_head.with_reg
            and gives_elements(self.bbox_head.loss_bbox)
        )
        if not known:
            say_slow(self, self.bbox_assigner, sampler, self.bbox_head)
        return known and (num_passes == 1 or self.predicts_rois_apart())

    def _batch_loss(
        self,
        x: Maps,
        rpn_results_list: list[InstanceData],
        parts: list[Annotations],
        joint: bool,
    ) -> Losses:
        """The loss of all parts, whose RoIs are drawn at once."""
        if not hasattr(self, '_draws'):
            self._draws = CallCounter(Stream.ROI)
        generator = self._draws.generator(x[0].device)
        drawn = draw_rois(self, rpn_results_list, parts, joint, generator)
        return self.bbox_head.batch_loss(self._bbox_forward(x, drawn.rois), drawn)

    def joint_loss(
        self, x: Maps, rpn_results_list: list[InstanceData], parts: list[Annotations]
    ) -> Losses:
        """BoxMix of two components (eq. 7-11) on one sample of RoIs.

        A RoI's class label is λ p + (1 - λ) p'; a component that ignores the RoI
        adds nothing. The sample is drawn from the RoIs that are positive in either
        component. Offsets are the dominant component's, with weight 1, at the
        place of the dominant label where they are class-specific. Both terms are
        divided by the size of the sample.

        Args:
            x: Feature maps, ``(N, C, H, W)`` each.
            rpn_results_list: N sets of proposals.
            parts: Two batches of N images.

        Returns:
            ``loss_cls``, ``loss_bbox`` and ``acc``, scalars.

        Raises:
            TypeError: If the sampler mines hard samples.
        """
        if self.draws_at_once():
            return self._batch_loss(x, rpn_results_list, parts, joint=True)
        return self.joint_loss_by_image(x, rpn_results_list, parts)
