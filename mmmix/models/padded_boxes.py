"""The boxes of all images in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.structures import Annotations

from .ignored_boxes import filled


class PaddedBoxes(NamedTuple):
    """Boxes of R images; G is the largest number of boxes, at least 1.

    Attributes:
        boxes: ``(R, G, 4)``, filled up with 0.
        counts: Number of boxes of each image, on the host.
        index: ``(R, G)`` int64, place of each box among those of all images; the
            number of these where there is none.
        instances: Of each image; None for one without boxes.
    """

    boxes: Tensor
    counts: list[int]
    index: Tensor
    instances: Sequence[InstanceData | None]

    @classmethod
    def of(cls, instances: Sequence[InstanceData | None], like: Tensor) -> PaddedBoxes:
        """Pad the boxes of images; one upload, and no value is read.

        Args:
            instances: With ``bboxes``, or None.
            like: A tensor on the device; boxes of nothing have its type.
        """
        counts = [0 if one is None else len(one) for one in instances]
        places = torch.full((len(counts), max(1, *counts)), sum(counts))
        start = 0
        for row, count in enumerate(counts):
            places[row, :count] = torch.arange(start, start + count)
            start += count
        index = places.to(like.device, non_blocking=True)
        flat = [get_box_tensor(one.bboxes) for one in instances if one is not None]
        boxes = torch.cat([*flat, like.new_zeros(1, 4)])[index]
        return cls(boxes, counts, index, instances)

    @property
    def there(self) -> Tensor:
        """``(R, G)`` bool: places that have a box."""
        return self.index < sum(self.counts)

    def field(self, name: str, fill: float) -> Tensor:
        """``(R, G)``: a field of the instances, or a number where there is none.

        Args:
            name: Of a field of one number per box; of instances without it all have
                the number.
            fill: The number.
        """
        values = [
            one[name] if name in one else one.bboxes.new_full((len(one),), fill)
            for one in self.instances
            if one is not None
        ]
        first = next(iter(values), self.boxes)
        return torch.cat([*values, first.new_full((1,), fill)])[self.index]

    def labels(self, fill: int) -> Tensor:
        """``(R, G)`` int64: labels, or a number where there is no box.

        Of an image without objects numpy makes them floats, and joined with these all
        others are floats, too.

        Args:
            fill: The number.
        """
        return self.field('labels', fill).long()


def boxes_of(
    parts: Sequence[Annotations],
) -> tuple[list[InstanceData], list[InstanceData | None]]:
    """The objects and the boxes to ignore of all images, one part's after the other's.

    Args:
        parts: K batches of N images.

    Returns:
        The objects of K N images, and their boxes to ignore; None where there are none.
    """
    instances = [one for part in parts for one in part.gt_instances]
    ignored = [
        filled(one)
        for part in parts
        for one in part.ignored or [None] * len(part.gt_instances)
    ]
    return instances, ignored
