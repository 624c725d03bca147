"""Class activation maps: the stock head's scores, and the sum over channels."""

from __future__ import annotations

import pytest
import torch

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.models import GlobalAveragePooling
from mmpretrain.registry import MODELS

from .batches import labelled


def build(kind):
    torch.manual_seed(0)
    return MODELS.build(dict(type=kind, num_classes=5, in_channels=6))


def maps():
    return torch.randn(3, 6, 2, 4, generator=torch.Generator().manual_seed(0))


def test_scores_and_losses_are_those_of_pooling_and_a_linear_head():
    ours, stock = build('CAMHead'), build('LinearClsHead')
    assert list(ours.state_dict()) == list(stock.state_dict())
    pooled = GlobalAveragePooling()((maps(),))
    torch.testing.assert_close(ours((maps(),)), stock(pooled))
    losses = [
        head.loss(feats, labelled([0, 4, 2]))['loss']
        for head, feats in ((ours, (maps(),)), (stock, pooled))
    ]
    torch.testing.assert_close(*losses)


def test_maps_are_the_weighed_sums_of_the_channels():
    head, feats = build('CAMHead'), maps()
    samples = head.predict((feats,), labelled([0, 4, 2]))
    weight, bias = head.fc.weight, head.fc.bias
    for index, sample in enumerate(samples):
        for name, label in (
            ('pred_cam', int(sample.pred_label)),
            ('gt_cam', int(sample.gt_label)),
        ):
            slow = sum(weight[label, k] * feats[index, k] for k in range(6))
            torch.testing.assert_close(sample.get(name), slow)
        score = sample.pred_cam.mean() + bias[int(sample.pred_label)]
        torch.testing.assert_close(score, head((feats,))[index].max())


def test_images_without_a_label_have_the_predicted_map_alone():
    samples = build('CAMHead').predict((maps(),))
    assert all('pred_cam' in sample and 'gt_cam' not in sample for sample in samples)


def test_pooled_features_are_refused():
    with pytest.raises(ValueError, match='model.neck=None'):
        build('CAMHead')((torch.zeros(2, 6),))
