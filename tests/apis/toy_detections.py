"""A detector that knows the truth and tells most of it, to have metrics to compare."""

from __future__ import annotations

import zlib

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import nn


@MODELS.register_module()
class TruthTeller(BaseModel):
    """Shifts boxes, leaves some out and takes some classes for others.

    What it says of an image depends on the image's name alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        for sample in data_samples:
            truth = sample.gt_instances
            seed = zlib.crc32(str(sample.img_id).encode())
            draw = torch.Generator().manual_seed(seed)
            boxes = torch.as_tensor(truth.bboxes.tensor)
            count = len(boxes)
            scores = torch.rand(count, generator=draw)
            wrong = torch.rand(count, generator=draw) < 0.2
            kept = torch.rand(count, generator=draw) < 0.8
            found = InstanceData(
                bboxes=boxes + 3 * torch.randn(boxes.shape, generator=draw),
                scores=scores,
                labels=torch.where(wrong, (truth.labels + 1) % 10, truth.labels),
            )
            sample.pred_instances = found[kept]
        return data_samples
