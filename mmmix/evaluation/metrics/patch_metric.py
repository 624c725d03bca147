"""Whether transplanted patches are detected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.evaluation import VOCMetric, eval_map
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from mmmix.evaluation.voc_overlaps import voc_overlaps

Result = tuple[int, list[list[int]], tuple]
"""The class of an image's patch; for each IoU threshold, the classes of the detections
of the patch; and the image as ``VOCMetric`` keeps it."""


@METRICS.register_module()
class PatchMetric(BaseMetric):
    """Detection of the patches of ``TransplantPatch`` (BoxMix paper, Table 4).

    A detection of ``score_thr`` and more is *of the patch* if it overlaps it by the
    IoU threshold, in VOC's inclusive pixels, whatever its class; unless it is right
    for another object, one of its class that it overlaps by the threshold and, if that
    is the patch's class too, more than the patch. A patch with such a detection of its
    class is detected. For each IoU threshold, with 0.5 as example, this logs

    - ``patch/detected_0.5``: the number of patches detected,
    - ``patch/precision_0.5``: the share of the detections of a patch that name its
      class, a second one counting as wrong; the mean over the classes they name,
    - ``patch/recall_0.5``: the share of patches detected, the mean over the patches'
      classes,
    - ``patch/mAP_0.5``: VOC's mAP over all objects, the patch among them;

    and ``patch/count``, the number of patches. A precision without detections is -1.

    The samples need ``patch`` in their metainfo: let the test pipeline pack it among
    its ``meta_keys``, and load annotations after ``TransplantPatch``.

    Args:
        iou_thrs: IoU thresholds in (0, 1].
        score_thr: Least score of the detections of a patch, in [0, 1]. The mAP takes
            all detections.
        eval_mode: ``'area'`` or ``'11points'``, as in ``VOCMetric``.
        **kwargs: Arguments of ``BaseMetric``.

    Raises:
        ValueError: If a threshold is out of its range, or there is none.
    """

    default_prefix = 'patch'

    def __init__(
        self,
        iou_thrs: Sequence[float] = (0.5, 0.75),
        score_thr: float = 0.3,
        eval_mode: str = 'area',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not iou_thrs or not all(0 < thr <= 1 for thr in iou_thrs):
            raise ValueError(
                f'iou_thrs must be numbers in (0, 1], got {tuple(iou_thrs)}'
            )
        if not 0 <= score_thr <= 1:
            raise ValueError(f'score_thr must lie in [0, 1], got {score_thr}')
        self.iou_thrs = tuple(iou_thrs)
        self.score_thr = score_thr
        self.eval_mode = eval_mode
        self._voc = VOCMetric(eval_mode=eval_mode)  # lays images out for eval_map

    def process(self, data_batch: Any, data_samples: Sequence[Mapping]) -> None:
        """Judge the detections on some images.

        Args:
            data_batch: Not read.
            data_samples: Samples as dicts, with ``pred_instances``,
                ``gt_instances``, ``ignored_instances`` and ``patch``.

        Raises:
            KeyError: If a sample has no patch.
            ValueError: If the patch is not among its objects.
        """
        self._voc.dataset_meta = self.dataset_meta
        for sample in data_samples:
            label, said = self._judged(sample)
            self._voc.process({}, [sample])
            self.results.append((label, said, self._voc.results.pop()))

    def compute_metrics(self, results: list[Result]) -> dict[str, float]:
        """All numbers at each IoU threshold.

        Args:
            results: Per image.
        """
        classes = len(self.dataset_meta['classes'])
        labels, saids, images = zip(*results)
        patches = np.bincount(labels, minlength=classes)
        truth, detections = zip(*images)
        metrics: dict[str, float] = {}
        for place, thr in enumerate(self.iou_thrs):
            said = [of_image[place] for of_image in saids]
            found = [label for label, names in zip(labels, said) if label in names]
            right = np.bincount(found, minlength=classes)
            named = np.bincount(
                [name for names in said for name in names], minlength=classes
            )
            metrics[f'detected_{thr:g}'] = float(right.sum())
            metrics[f'precision_{thr:g}'] = _mean_share(right, named)
            metrics[f'recall_{thr:g}'] = _mean_share(right, patches)
            mean_ap, _ = eval_map(
                detections,
                truth,
                iou_thr=thr,
                logger='silent',
                eval_mode=self.eval_mode,
                use_legacy_coordinate=True,  # as in VOCMetric
            )
            metrics[f'mAP_{thr:g}'] = float(mean_ap)
        metrics['count'] = float(len(results))
        return metrics

    def _judged(self, sample: Mapping) -> tuple[int, list[list[int]]]:
        """The patch's class, and what the detections of it say at each threshold."""
        if 'patch' not in sample:
            raise KeyError(
                "PatchMetric needs 'patch' of each sample; put TransplantPatch into "
                "the test pipeline and 'patch' among the meta_keys of PackDetInputs"
            )
        label = sample['patch']['bbox_label']
        patch = torch.tensor([sample['patch']['bbox']], dtype=torch.float32)
        found = {key: value.cpu() for key, value in sample['pred_instances'].items()}
        sure = found['scores'] >= self.score_thr
        boxes, names = found['bboxes'][sure], found['labels'][sure]
        others, of_others = _other_objects(sample, patch[0], label)
        on_patch = voc_overlaps(boxes, patch)[:, 0]
        same = names[:, None] == of_others[None]
        # A column of zeros: the greatest of no overlap at all.
        overlaps = torch.where(same, voc_overlaps(boxes, others), 0)
        on_other = torch.nn.functional.pad(overlaps, (1, 0)).amax(dim=1)
        unsaid = (on_other > on_patch) | (names != label)
        return label, [
            names[(on_patch >= thr) & ~((on_other >= thr) & unsaid)].tolist()
            for thr in self.iou_thrs
        ]


def _other_objects(
    sample: Mapping, patch: torch.Tensor, label: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes and labels of all objects but the patch, those to ignore among them."""
    truth = sample['gt_instances']
    boxes, labels = truth['bboxes'].cpu(), truth['labels'].cpu()
    is_patch = (boxes == patch).all(dim=1) & (labels == label)
    if not is_patch.any():
        raise ValueError(
            f'the patch {patch.tolist()} of image {sample.get("img_id")!r} is none of '
            'its objects; annotations must be loaded after TransplantPatch, and stay '
            'in the pixels of the image file'
        )
    ignored = sample['ignored_instances']
    boxes = torch.cat([boxes[~is_patch], ignored['bboxes'].cpu()])
    return boxes, torch.cat([labels[~is_patch], ignored['labels'].cpu()])


def _mean_share(part: np.ndarray, whole: np.ndarray) -> float:
    """The mean over classes of a share, where there is a whole; -1 if nowhere."""
    shares = [p / w for p, w in zip(part, whole) if w]
    return math.fsum(shares) / len(shares) if shares else -1.0
