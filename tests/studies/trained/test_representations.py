"""Class logits by level, of heads of several kinds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from mmmix.studies.trained.representations import classification_maps, level_grams

LEVELS = [torch.randn(2, 4, size, size) for size in (6, 3)]


class Model(nn.Module):
    """A detector of features that are given."""

    def __init__(self, levels=None, **heads):
        super().__init__()
        self._levels = levels
        for name, head in heads.items():
            setattr(self, name, head)

    def extract_feat(self, inputs):
        return self._levels or (inputs, inputs[..., ::2, ::2])


def build(kind, **settings):
    return MODELS.build(dict(type=kind, **settings))


def retina():
    anchors = dict(
        type='AnchorGenerator', scales=[8], ratios=[0.5, 1.0], strides=[8, 16]
    )
    settings = dict(num_classes=5, in_channels=4, feat_channels=4, stacked_convs=1)
    return build('RetinaHead', anchor_generator=anchors, **settings)


def test_dense_head_and_rpn():
    head = retina()
    maps = classification_maps(Model(LEVELS, bbox_head=head), torch.zeros(2, 3, 48, 48))
    for expected, got in zip(head(LEVELS)[0], maps):
        assert (got == expected).all()
    assert [tuple(part.shape) for part in maps] == [(2, 10, 6, 6), (2, 10, 3, 3)]
    rpn = build(
        'RPNHead',
        in_channels=4,
        feat_channels=4,
        anchor_generator=dict(
            type='AnchorGenerator', scales=[8], ratios=[1.0], strides=[8, 16]
        ),
    )
    maps = classification_maps(Model(LEVELS, rpn_head=rpn), torch.zeros(2, 3, 48, 48))
    assert (maps[1] == rpn(LEVELS)[0][1]).all()


def test_yolo_gives_classes_alone_and_the_finest_level_first():
    head = build(
        'YOLOV3Head',
        num_classes=7,
        in_channels=(4, 4),
        out_channels=(4, 4),
        featmap_strides=(16, 8),
        anchor_generator=dict(
            type='YOLOAnchorGenerator',
            base_sizes=[[(30, 30), (60, 60)], [(9, 9), (16, 16)]],
            strides=[16, 8],
        ),
    ).eval()
    model = Model(LEVELS[::-1], bbox_head=head)
    fine, coarse = classification_maps(model, torch.zeros(2, 3, 48, 48))
    raw = head(LEVELS[::-1])[0][1]  # (2, 2 anchors * (4 + 1 + 7), 6, 6)
    assert fine.shape == (2, 2, 7, 6, 6)
    assert (fine[:, 0] == raw[:, 5:12]).all()
    assert (fine[:, 1] == raw[:, 17:24]).all()
    assert coarse.shape == (2, 2, 7, 3, 3)


def test_a_detector_without_maps_is_refused():
    with pytest.raises(ValueError, match='map of class logits per level'):
        classification_maps(Model(LEVELS), torch.zeros(2, 3, 8, 8))
    queries = Model(LEVELS, bbox_head=lambda features: (torch.zeros(2, 3, 4),))
    with pytest.raises(ValueError, match='got Model with function'):
        classification_maps(queries, torch.zeros(2, 3, 8, 8))


class First(nn.Module):
    """A head whose logits are its features."""

    def forward(self, features):
        return list(features), None


def detector_of(images):
    model = Model(bbox_head=First())
    model.data_preprocessor = lambda data, training: {
        'inputs': torch.stack(data['inputs'])
    }
    pack = lambda image, info: {'inputs': torch.from_numpy(image)}  # noqa: E731
    return SimpleNamespace(model=model, pack=pack)


def test_grams_of_levels():
    images = np.random.default_rng(0).normal(size=(5, 3, 8, 8)).astype(np.float32)
    seen = []
    detector = detector_of(images)
    grams = level_grams(detector, 5, lambda i: (images[i], {}), 2, seen.append)
    assert seen == [2, 2, 1]
    for gram, level in zip(grams, (images, images[..., ::2, ::2])):
        rows = level.reshape(5, -1).astype(float)
        rows -= rows.mean(axis=0)
        np.testing.assert_allclose(gram, rows @ rows.T, atol=1e-9)


@pytest.mark.parametrize('batch_size', [1, 2, 3])
def test_sizes_that_differ_are_refused(batch_size):
    """Also where a batch pads them to one size, whose padding would be compared."""
    images = [np.zeros((3, *size), np.float32) for size in ((8, 6), (6, 8), (8, 8))]
    detector = detector_of(images)
    pad = lambda image: nn.functional.pad(  # noqa: E731
        image, (0, 8 - image.shape[2], 0, 8 - image.shape[1])
    )
    detector.model.data_preprocessor = lambda data, training: {
        'inputs': torch.stack([pad(image) for image in data['inputs']])
    }
    with pytest.raises(ValueError, match=r'\(6, 8\), \(8, 6\).*--size WIDTH HEIGHT'):
        level_grams(detector, 3, lambda i: (images[i], {}), batch_size, lambda n: None)
