"""Loaded images, a dataset of them, and a mixer around it."""

from __future__ import annotations

import copy

import numpy as np
from mmdet.datasets import MultiImageMixDataset
from mmdet.structures.bbox import HorizontalBoxes

from mmmix.datasets import CutMixImage, MixImage
from mmmix.models import CutMixBatch, MixBatch

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONSTANT = dict(type='Constant', value=0.3)
BETA = dict(type='Beta', alpha=1.0)
KINDS = [(MixImage, MixBatch), (CutMixImage, CutMixBatch)]


def loaded(height, width, seed=0, boxes=2, ignore=0):
    """An image and its annotations as a pipeline has them after loading."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 8, (boxes, 2))
    return dict(
        img=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        img_shape=(height, width),
        ori_shape=(height, width),
        img_path=f'{seed}.jpg',
        img_id=str(seed),
        sample_idx=seed,
        gt_bboxes=HorizontalBoxes(np.hstack([corner, corner + 6]).astype(np.float32)),
        gt_bboxes_labels=rng.integers(0, 20, boxes),
        gt_ignore_flags=np.arange(boxes) < ignore,
    )


class ListDataset:
    """The least that MultiImageMixDataset wraps."""

    metainfo = {}

    def __init__(self, items):
        self.items = items

    def full_init(self):
        pass

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return copy.deepcopy(self.items[index])


def wrapped(items, *pipeline):
    """A MultiImageMixDataset over loaded images."""
    dataset = MultiImageMixDataset.__new__(MultiImageMixDataset)
    dataset.__dict__.update(
        dataset=ListDataset(items),
        pipeline=list(pipeline),
        pipeline_types=[type(step).__name__ for step in pipeline],
        _skip_type_keys=None,
        max_refetch=15,
        num_samples=len(items),
        _fully_initialized=True,
    )
    return dataset


class DropFirstBox:
    """A transform that loses a box, as RandomCrop may."""

    def __call__(self, results):
        for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags'):
            results[key] = results[key][1:]
        return results
