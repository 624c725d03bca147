"""YOLOv3's head for mixed samples.

Shape shorthand: N images, A anchors of a level or of an image, C classes. A
target map holds (x, y, w, h, confidence, C class targets) per anchor. In a
weighted pass two more columns follow, the weight of the anchor's confidence
and class terms and that of its box terms.
"""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.dense_heads import YOLOV3Head
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_overlaps, get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.box_factors import box_factors, weighs_boxes
from mmmix.models.supervisions import (
    Losses,
    build_override,
    sum_losses,
    supervise,
)
from mmmix.structures import LOSS_FACTORS, Annotations, Factors

from .grid_losses import GridLosses

# Metainfo of ``gt_instances``: the boxes to ignore, which mmdet does not hand on.
_IGNORED = 'ignored_bboxes'


@MODELS.register_module()
class MixYOLOV3Head(GridLosses, YOLOV3Head):
    """``YOLOV3Head`` that understands mixed samples.

    Parameters and state-dict keys are those of ``YOLOV3Head``, and so is the
    loss of a batch without mixed samples, to 1e-6; it is one number instead of one a
    level, as all images are assigned at once, see ``GridLosses``. Weights enter before
    the losses' own reduction, a plain sum in mmdet's configs; there is no
    normaliser. ``loss_conf`` and ``loss_cls`` count as classification,
    ``loss_xy`` and ``loss_wh`` as regression. As in mmdet,
    ``ignored_instances`` have no effect, unless ``ignore_iof_thr`` is set.

    YOLOv3 neither samples nor mines, so the joint parts of ``BoxMix`` are passes as
    any others: binary cross-entropy is linear in its target. Where both components
    have an anchor as positive or negative, their confidence terms times their weights
    are the loss of the target λ pos + (1 - λ) pos'; a component that ignores it adds
    nothing. Offsets are the dominant component's, with weight 1.

    A box whose centre lies on or beyond the border of the map belongs to the
    nearest cell; the stock head takes a cell of another row there, or fails
    with an ``IndexError``.

    Args:
        *args: As ``YOLOV3Head``.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        ignore_iof_thr: An anchor is no negative if at least this share of it lies
            in a box to ignore, as in ``MaxIoUAssigner``; -1 for never.
        **kwargs: As ``YOLOV3Head``.
    """

    honours_box_weights = True

    def __init__(
        self,
        *args: Any,
        supervision: dict | None = None,
        ignore_iof_thr: float = -1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supervision = build_override(supervision)
        self.ignore_iof_thr = ignore_iof_thr

    def loss_by_feat(
        self,
        pred_maps: list[Tensor],
        batch_gt_instances: list[InstanceData],
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: list[InstanceData] | None = None,
    ) -> Losses:
        """Losses of a batch, mixed or not; arguments as ``YOLOV3Head``.

        Raises:
            TypeError, ValueError: If the mixing fields are invalid, or contradict
                the supervision.
        """
        batch = Annotations(
            batch_gt_instances, batch_img_metas, batch_gt_instances_ignore
        )
        parts = supervise(batch, self.supervision).parts
        if self.assigns_at_once():
            return self.batch_losses(pred_maps, parts)
        return sum_losses([self._part_loss(pred_maps, part) for part in parts])

    def _part_loss(self, pred_maps: list[Tensor], part: Annotations) -> Losses:
        """The stock loss of a part, with the factors of its images and boxes."""
        instances, metas, ignored = part
        instances = [_with_factors(*pair) for pair in zip(instances, metas)]
        if self.ignore_iof_thr > 0 and ignored is not None:
            instances = [_with_ignored(*pair) for pair in zip(instances, ignored)]
        return super().loss_by_feat(pred_maps, instances, metas, ignored)

    def _get_targets_single(
        self,
        anchors: list[Tensor],
        responsible_flags: list[Tensor],
        gt_instances: InstanceData,
    ) -> tuple[Tensor, Tensor]:
        """Stock targets of one image, with two columns more if it has weights."""
        target_map, neg_map = super()._get_targets_single(
            anchors, responsible_flags, gt_instances
        )
        ignored = gt_instances.get(_IGNORED, gt_instances.bboxes[:0])
        if len(ignored):
            shares = bbox_overlaps(torch.cat(anchors), ignored, mode='iof')
            neg_map[shares.amax(dim=1) >= self.ignore_iof_thr] = 0
        weighed = weighs_boxes(gt_instances)
        if not weighed and LOSS_FACTORS not in gt_instances:
            return target_map, neg_map
        factors = gt_instances.get(LOSS_FACTORS, Factors(1.0, 1.0))
        weights = target_map.new_tensor(factors).repeat(len(target_map), 1)
        positive = target_map[:, 4] > 0
        if weighed:
            # The stock method keeps the assignment to itself.
            priors = InstanceData(
                priors=torch.cat(anchors),
                responsible_flags=torch.cat(responsible_flags),
            )
            owners = self.assigner.assign(priors, gt_instances).gt_inds
            weights[positive] *= box_factors(gt_instances)[owners[positive] - 1]
        return torch.cat([target_map, weights], dim=1), neg_map

    def loss_by_feat_single(
        self, pred_map: Tensor, target_map: Tensor, neg_map: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Losses of one level, weighted if the target map carries weights.

        In the stock method the confidence target is also the mask of the
        positives, which leaves no place for a weight.

        Args:
            pred_map: ``(N, num_anchors * (5 + C), H, W)``.
            target_map: ``(N, A, 5 + C)``, or ``(N, A, 7 + C)`` with weights.
            neg_map: ``(N, A)``, 1 for negatives.

        Returns:
            ``loss_cls``, ``loss_conf``, ``loss_xy`` and ``loss_wh``, scalars.
        """
        if target_map.shape[-1] == self.num_attrib:
            return super().loss_by_feat_single(pred_map, target_map, neg_map)
        pred = pred_map.permute(0, 2, 3, 1)
        pred = pred.reshape(len(pred_map), -1, self.num_attrib)
        target, weights = target_map.split((self.num_attrib, 2), dim=-1)
        cls_weight, reg_weight = weights.unbind(-1)
        positive = target[..., 4]
        conf_mask = (positive + neg_map).clamp(max=1.0) * cls_weight
        cls_mask = (positive * cls_weight)[..., None]
        reg_mask = (positive * reg_weight)[..., None]
        return (
            self.loss_cls(pred[..., 5:], target[..., 5:], weight=cls_mask),
            self.loss_conf(pred[..., 4], positive, weight=conf_mask),
            self.loss_xy(pred[..., :2], target[..., :2], weight=reg_mask),
            self.loss_wh(pred[..., 2:4], target[..., 2:4], weight=reg_mask),
        )

    def responsible_flags(
        self, featmap_sizes: list[tuple], gt_bboxes: Tensor, device: Any
    ) -> list[Tensor]:
        """Stock flags of the cells with a box centre, all of them on the map.

        Args:
            featmap_sizes: (height, width) of each level.
            gt_bboxes: ``(num_boxes, 4)``.
            device: Of the flags.
        """
        strides = self.prior_generator.strides
        width = min(size[1] * step[0] for size, step in zip(featmap_sizes, strides))
        height = min(size[0] * step[1] for size, step in zip(featmap_sizes, strides))
        # The last pixel, as the far border itself is in no cell.
        last = gt_bboxes.new_tensor((width - 1, height - 1))
        centres = (gt_bboxes[:, :2] + gt_bboxes[:, 2:]) * 0.5
        centres = torch.minimum(centres.clamp(min=0), last)
        return super().responsible_flags(
            featmap_sizes, torch.cat([centres, centres], dim=1), device
        )


def _with_factors(instances: InstanceData, meta: dict[str, Any]) -> InstanceData:
    """A copy that knows the factors of its image, if it has some."""
    if LOSS_FACTORS not in meta:
        return instances
    return instances.new(metainfo={LOSS_FACTORS: meta[LOSS_FACTORS]})


def _with_ignored(
    instances: InstanceData, ignored: InstanceData | None
) -> InstanceData:
    """A copy that knows the boxes to ignore of its image."""
    if ignored is None or not len(ignored):
        return instances
    boxes = get_box_tensor(ignored.bboxes)
    return instances.new(metainfo={**instances.metainfo, _IGNORED: boxes})
