"""The objects of a data set's image, in its own pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData


def objects_of(info: Mapping[str, Any]) -> tuple[InstanceData, InstanceData]:
    """The annotations of an image, whatever its test pipeline makes of them.

    Args:
        info: From ``dataset.get_data_info(index)``.

    Returns:
        Objects, and those to ignore (VOC: difficult; COCO: crowds), each with
        ``bboxes`` (n, 4) in pixels of the image file and ``labels``.
    """
    instances = info.get('instances', [])
    ignored = [bool(instance.get('ignore_flag', 0)) for instance in instances]
    boxes = np.array([instance['bbox'] for instance in instances], dtype=np.float32)
    labels = [instance['bbox_label'] for instance in instances]
    everything = InstanceData(
        bboxes=torch.from_numpy(boxes.reshape(-1, 4)),
        labels=torch.tensor(labels, dtype=torch.int64),
    )
    mask = torch.tensor(ignored, dtype=torch.bool)
    return everything[~mask], everything[mask]


def blank_info(name: str, shape: tuple[int, int]) -> dict[str, Any]:
    """Info of an image that is in no data set.

    Args:
        name: Stands for its id and path.
        shape: Height and width.
    """
    height, width = shape
    return dict(img_id=name, img_path=name, height=height, width=width, instances=[])
