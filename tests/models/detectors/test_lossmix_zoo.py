"""LossMixDetector on mmdet's own detectors, each against the unmodified one."""

from __future__ import annotations

import copy
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import load_checkpoint, save_checkpoint
from torch import nn

from . import zoo

LAM = 0.3


@pytest.fixture(scope='module', params=zoo.NAMES)
def pair(request):
    """A detector's name, mmdet's model, and ours with the same weights."""
    cfg = zoo.config(request.param)
    stock = zoo.build(cfg)
    wrapped = zoo.build(cfg, type='LossMixDetector', detector=request.param)
    wrapped.load_state_dict(stock.state_dict(), strict=True)
    return request.param, stock, wrapped


@pytest.fixture(autouse=True)
def _seeded_passes(pair, monkeypatch):
    """Samplers, denoising queries and dropout draw alike in every stock pass."""
    kind = type(pair[1])
    loss = kind.loss

    def seeded(self, *args):
        torch.manual_seed(0)
        return loss(self, *args)

    monkeypatch.setattr(kind, 'loss', seeded)


def objects(name, *counts):
    """Two sets of annotations for three images."""
    with_masks = name == 'MaskRCNN'
    return [
        [zoo.objects(10 * side + i, n, with_masks) for i, n in enumerate(side_counts)]
        for side, side_counts in enumerate(counts)
    ]


def counted(model, *args):
    """Losses, how often the backbone ran, and how often other convolutions did."""
    parts = [getattr(model, n, None) for n in ('neck', 'rpn_head', 'bbox_head')]
    layers = [m for part in parts if part for m in part.modules()]
    runs = [0, 0]

    def count(module, *_):
        runs[module is not model.backbone] += 1

    handles = [
        module.register_forward_hook(count)
        for module in (model.backbone, *layers)
        if module is model.backbone or isinstance(module, nn.Conv2d)
    ]
    losses = model.loss(*args)
    for handle in handles:
        handle.remove()
    return losses, runs


def total(model, losses):
    return model.parse_losses(losses)[0]


def test_loss_is_the_weighted_sum_of_component_losses(pair, monkeypatch):
    """Identity 17 for any detector; image 0 is unmixed and counts in full."""
    name, stock, model = pair
    inputs = zoo.images(3)
    first, second = objects(name, (3, 2, 2), (0, 2, 3))
    batch = [zoo.mixed(first[i], second[i], i, LAM) for i in (1, 2)]
    batch.insert(0, zoo.sample(first[0], 0))
    got, runs = counted(model, inputs, batch)
    assert runs[0] == 1
    assert runs == counted(stock, inputs, [zoo.sample(b, 0) for b in first])[1]

    features = stock.extract_feat(inputs)
    monkeypatch.setattr(stock, 'extract_feat', lambda _: features)
    passes = [
        stock.loss(inputs, [zoo.sample(side[i], i) for i in range(3)])
        for side in (first, [first[0], *second[1:]])
    ]
    parts = [zoo.flat(losses) for losses in passes]
    assert list(got) == list(passes[0])
    for key, value in zoo.flat(got).items():
        want = LAM * parts[0][key] + (1 - LAM) * parts[1][key]
        torch.testing.assert_close(value, want, rtol=1e-5, atol=1e-7)
    assert not any(torch.equal(parts[0][k], parts[1][k]) for k in got if 'cls' in k)

    weight = model.backbone.parameters
    gradients = torch.autograd.grad(total(model, got), next(weight()))
    mixed = LAM * total(stock, passes[0]) + (1 - LAM) * total(stock, passes[1])
    reference = torch.autograd.grad(mixed, next(stock.backbone.parameters()))
    scale = float(reference[0].abs().max())
    torch.testing.assert_close(gradients, reference, rtol=1e-3, atol=1e-4 * scale)


ONCE = {
    'CascadeRCNN': [('rpn_head', 'predict_by_feat')],
    'MaskRCNN': [('rpn_head', 'predict_by_feat')],
    'DETR': [('encoder', 'forward')],
    'DINO': [('encoder', 'forward')],
}


def test_what_annotations_do_not_change_is_computed_once(pair, monkeypatch):
    """Which the losses above show to be equal."""
    name, _, model = pair
    first, second = objects(name, (2, 1), (1, 2))
    batch = [zoo.mixed(a, b, i, LAM) for i, (a, b) in enumerate(zip(first, second))]
    calls = []
    for part, method in ONCE.get(name, []):
        module = getattr(model, part)
        spy = Mock(side_effect=getattr(module, method))
        monkeypatch.setattr(module, method, spy)
        calls.append(spy)
    model.loss(zoo.images(2), batch)
    assert [spy.call_count for spy in calls] == [1] * len(calls)


def test_unmixed_samples_are_bit_identical_to_stock(pair):
    name, stock, model = pair
    inputs = zoo.images(2)
    (boxes,) = objects(name, (3, 2))
    got, want = (
        zoo.flat(m.loss(inputs, [zoo.sample(b, i) for i, b in enumerate(boxes)]))
        for m in (model, stock)
    )
    assert got.keys() == want.keys()
    assert all(torch.equal(got[key], want[key]) for key in want)


def test_a_component_without_boxes(pair):
    """The whole second component is background; every loss stays finite."""
    name, _, model = pair
    first, second = objects(name, (2, 1), (0, 0))
    batch = [zoo.mixed(a, b, i, LAM) for i, (a, b) in enumerate(zip(first, second))]
    losses = zoo.flat(model.loss(zoo.images(2), batch))
    plain = zoo.flat(model.loss(zoo.images(2), [zoo.sample(a, 0) for a in first]))
    assert losses.keys() == plain.keys()
    assert all(torch.isfinite(value).all() for value in losses.values())


def test_trains(pair):
    """Three steps on one batch mixed by MixBatch bring its loss down."""
    name = pair[0]
    cfg = zoo.config(name)
    ratio = dict(type='Constant', value=LAM)
    mix = dict(type='MixBatch', ratio=ratio, lam_per='batch', pairing='roll')
    cfg.model.data_preprocessor.batch_augments = [mix]
    model = zoo.build(cfg, type='LossMixDetector', detector=name)
    (boxes,) = objects(name, (2, 3))
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(2, 3, *zoo.SHAPE), dtype=np.uint8)
    data = dict(
        inputs=[torch.from_numpy(picture) for picture in pictures],
        data_samples=[zoo.sample(b, i) for i, b in enumerate(boxes)],
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    wrapper = OptimWrapper(optimizer, clip_grad=dict(max_norm=10))
    # RTMDet's class targets are the IoUs it has reached: its total rises at first.
    key = 'loss_bbox' if name == 'RTMDet' else 'loss'
    values = [
        model.train_step(copy.deepcopy(data), wrapper)[key].item() for _ in range(4)
    ]
    assert np.isfinite(values).all()
    assert values[-1] < values[0]


def test_checkpoints_go_both_ways(pair, tmp_path):
    name, stock, model = pair
    assert list(stock.state_dict()) == list(model.state_dict())
    torch.manual_seed(1)
    for source, target in ((model, stock), (stock, model)):
        with torch.no_grad():
            for parameter in source.parameters():
                parameter += 1e-3 * torch.randn_like(parameter)
        path = str(tmp_path / 'checkpoint.pth')
        save_checkpoint(dict(state_dict=source.state_dict()), path)
        load_checkpoint(target, path, strict=True)
        results = []
        for detector in (source, target):
            detector.eval()
            (boxes,) = objects(name, (1, 1))
            samples = [zoo.sample(b, i) for i, b in enumerate(boxes)]
            with torch.no_grad():
                results.append(detector.predict(zoo.images(2), samples)[1])
            detector.train()
        found, want = (result.pred_instances for result in results)
        assert len(found) > 0
        assert torch.equal(found.bboxes, want.bboxes)
        assert torch.equal(found.scores, want.scores)
