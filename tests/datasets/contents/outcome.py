"""What loading a file comes to."""

from __future__ import annotations

import re

import torch
from mmdet.registry import DATASETS

import mmmix  # noqa: F401
from mmmix.datasets.contents import watched_loading

TRAINS = None


def outcome(config: dict) -> str | None:
    """None if all samples load with boxes that can be learnt from, else the error."""
    try:
        with watched_loading():
            dataset = DATASETS.build(config)
        samples = [dataset[index] for index in range(len(dataset))]
    except (ValueError, OSError) as error:
        return str(error)
    assert samples
    for sample in samples:
        boxes = sample['data_samples'].gt_instances.bboxes.tensor
        assert torch.isfinite(boxes).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes.abs() < 200).all()
    return None


def check(config: dict, message: str | None) -> None:
    got = outcome(config)
    if message is None:
        assert got is None, got
    else:
        assert got is not None
        assert re.search(message, got, re.DOTALL), got
