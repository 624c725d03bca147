"""Weakly supervised localisation as a metric of mmpretrain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS

from mmmix.classification.models.cam_head import GT_CAM
from mmmix.mixing.checks import check_integer, check_unit

from .cam_boxes import SIGMA, largest_box, stretched
from .measures import DELTAS, box_ious, max_box_acc, overlaps_by_threshold

GT_BOXES = 'gt_bboxes'
"""The field of a sample with its annotated boxes, in pixels of the network's input."""


@METRICS.register_module()
class LocalizationMetric(BaseMetric):
    """How often a classifier's activation map boxes the object, in percent.

    Needs :class:`CAMHead`, and boxes that the pipeline packs
    (``PackInputs(algorithm_keys=('gt_bboxes',))``). It gives

    - ``top1_loc``: class right and IoU of the box of the map above ``delta`` with a box
      of the image, at the threshold ``sigma`` (CutMix suppl., sec. B; ILSVRC);
    - ``gt_known_loc``: the same with the class given;
    - ``max_box_acc``: IoU of at least ``delta`` with the class given, at the best
      threshold for all images (Choe et al., CVPR 2020), found at ``best_threshold``;
    - ``max_box_acc_v2``: the mean over IoUs of 0.3, 0.5 and 0.7, each at its best
      threshold, of any connected region instead of the largest.

    The thresholds of the last two are chosen on the images that are measured, as their
    paper has it: report them on data of their own. Choe et al. draw contours; regions
    here are connected components, as the supplement says.

    Args:
        sigma: σ, a share of the map's maximum.
        delta: The IoU that counts as found.
        thresholds: How many, evenly from 0 up, are tried for the maxima.
        collect_device: As in mmengine.
        prefix: Before the names.

    Raises:
        TypeError, ValueError: If a setting is out of range.
    """

    default_prefix = 'localization'

    def __init__(
        self,
        sigma: float = SIGMA,
        delta: float = 0.5,
        thresholds: int = 100,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.sigma = check_unit('sigma', sigma)
        self.delta = check_unit('delta', delta)
        count = check_integer('thresholds', thresholds, 1)
        self.thresholds = np.arange(count) / count

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Measure the images of a batch.

        Raises:
            KeyError: If a sample has no map or no boxes.
            ValueError: If it has no box, a map is not finite, or images of the batch
                differ in their sizes.
        """
        sizes = {tuple(sample['img_shape'][:2]) for sample in data_samples}
        if len(sizes) > 1:
            raise ValueError(
                f'LocalizationMetric got images of {sorted(sizes)[:5]} pixels in one '
                'batch, which the preprocessor pads to one size: their maps cover the '
                'padding too. Resize or crop them to one size, or set batch_size=1 of '
                'the dataloader'
            )
        for sample in data_samples:
            cam, truths = _field(sample, GT_CAM), _field(sample, GT_BOXES)
            truths = np.asarray(truths, dtype=np.float64).reshape(-1, 4)
            if not len(truths):
                raise ValueError(f'{sample.get("img_path")} has no box to be found')
            score_map = stretched(cam.cpu().numpy(), tuple(sample['img_shape'][:2]))
            found = largest_box(score_map, self.sigma)[None]
            right = int(sample['pred_label']) == int(sample['gt_label'])
            self.results.append(
                (
                    right,
                    float(box_ious(found, truths).max()),
                    overlaps_by_threshold(score_map, truths, self.thresholds),
                )
            )

    def compute_metrics(self, results: list[tuple[bool, float, Any]]) -> dict:
        """All measures, in percent; the best threshold in [0, 1)."""
        right, ious, overlaps = (np.array(part) for part in zip(*results))
        located = ious > self.delta
        best, index = max_box_acc(overlaps[:, 0], self.delta)
        second = np.mean([max_box_acc(overlaps[:, 1], delta)[0] for delta in DELTAS])
        return {
            'top1_loc': 100 * float((right & located).mean()),
            'gt_known_loc': 100 * float(located.mean()),
            'max_box_acc': 100 * best,
            'max_box_acc_v2': 100 * float(second),
            'best_threshold': float(self.thresholds[index]),
        }


def _field(sample: dict, name: str) -> Any:
    """A field that a sample needs.

    Raises:
        KeyError: If it is missing, with what brings it.
    """
    if name in sample:
        return sample[name]
    fix = {
        GT_CAM: "give the model head=dict(type='CAMHead', ...), and images a label",
        GT_BOXES: "pack it: PackInputs(algorithm_keys=('gt_bboxes',)), and "
        'take a data set with boxes (BoxedCUB, BoxedImages)',
    }[name]
    raise KeyError(f'LocalizationMetric needs {name} of each sample; {fix}')
