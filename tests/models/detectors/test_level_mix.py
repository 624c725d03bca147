"""Mixing on one anchor level (identity 16), against stock loss and a slow reference."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmengine.config import Config

from mmmix import config_path
from mmmix.structures import Annotations, split_components
from tests.helpers import annotations, samples_of, total
from tests.models.dense_heads import reference

SIZE = 160
LEVELS = (20, 10, 5)


def config(**head):
    """The model of the demo leaf, with another head."""
    model = Config.fromfile(config_path('demo/ssd_digits_level1.py')).model
    model.bbox_head.update(head)
    return model


@pytest.fixture(scope='module')
def detector():
    """A tiny detector with BatchNorm layers in eval mode."""
    torch.manual_seed(0)
    model = MODELS.build(config())
    model.init_weights()
    return model.eval()


@pytest.fixture
def batch():
    """Images and samples of digits' classes."""
    inputs = torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    samples = samples_of(annotations((2, 3, 1), seed=4, size=SIZE))
    for sample in samples:
        sample.gt_instances.labels %= 10
    return inputs, samples


def with_levels(model, levels, **mixer):
    """The same detector, mixed on other levels."""
    model = copy.copy(model)
    model._modules = dict(model._modules)
    model.bbox_head = copy.copy(model.bbox_head)
    model.bbox_head.mix_levels = levels
    model.mixer = MODELS.build(dict(config().mixer, **mixer))
    return model


def close(got, want, **tolerance):
    """Every named loss agrees."""
    assert got.keys() == want.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name], **tolerance)


def plain_head(detector, kind):
    """A head of another type with the detector's parameters."""
    cfg = dict(config().bbox_head, type=kind)
    del cfg['mix_levels']
    ours = detector.bbox_head
    head = MODELS.build(dict(cfg, train_cfg=ours.train_cfg, test_cfg=ours.test_cfg))
    head.load_state_dict(ours.state_dict(), strict=True)
    return head


def test_no_level_is_the_stock_loss(detector, batch):
    inputs, samples = batch
    stock = plain_head(detector, 'SSDHead')
    want = total(stock.loss(detector.extract_feat(inputs), samples))
    got = total(with_levels(detector, ()).loss(inputs, samples))
    close(got, want, rtol=1e-6, atol=1e-8)


def test_all_levels_are_boxmix_on_the_mixed_forward(detector, batch):
    model = with_levels(detector, (0, 1, 2))
    got = total(model.loss(*batch))
    inputs, samples = with_levels(detector, ()).mixer(*batch)
    assert len({sample.mix_weights for sample in samples}) == 3
    head = plain_head(detector, 'MixSSDHead')
    want = total(head.loss(detector.extract_feat(inputs), samples))
    close(got, want, atol=1e-6, rtol=1e-6)


def hybrid_reference(model, inputs, samples, level):
    """The loss with one level mixed, anchor by anchor (BoxMix, sec. 4.4)."""
    mixed_inputs, mixed = model.mixer(inputs, samples)
    own, other = (
        [
            torch.cat([m.permute(0, 2, 3, 1).reshape(3, -1, width) for m in maps], 1)
            for maps, width in zip(model.bbox_head(model.extract_feat(x)), (11, 4))
        ]
        for x in (inputs, mixed_inputs)
    )
    priors = model.bbox_head.prior_generator.grid_priors(
        [(side, side) for side in LEVELS], device='cpu'
    )
    anchors = torch.cat(priors).numpy()
    sizes = [len(level_priors) for level_priors in priors]
    on = slice(sum(sizes[:level]), sum(sizes[: level + 1]))
    for mine, theirs in zip(own, other):
        mine[:, on] = theirs[:, on]
    logits, deltas = (maps.detach().double().numpy() for maps in own)
    cls_sum = reg_sum = count = 0.0
    gt_instances, ignored, metas = unpack_gt_instances(mixed)
    parts = split_components(Annotations(gt_instances, metas, ignored))
    for i, sample in enumerate(mixed):
        lam = sample.mix_weights[0]
        pair = [
            (part.gt_instances[i].bboxes.numpy(), part.gt_instances[i].labels.numpy())
            for part in parts
        ]
        owners = [reference.match(anchors, boxes) for boxes, _ in pair]
        soft = [
            reference.soft_labels(rows, [labels for _, labels in used], lam, 10)
            for rows, used in (
                (owners, pair),
                ([owners[0]] * 2, [pair[0]] * 2),
            )
        ]
        target = soft[1]
        target[on] = soft[0][on]
        side = 0 if lam > 0.5 else 1
        owner, giver = owners[0].copy(), owners[0] * 0
        owner[on], giver[on] = owners[side][on], side
        loss, n, _ = reference.cls_loss(
            logits[i], target, [owner, owner], 1.0, 'dominant'
        )
        for anchor in (owner >= 0).nonzero()[0]:
            box = pair[giver[anchor]][0][owner[anchor]]
            reg_sum += reference.smooth_l1(
                deltas[i][anchor] - reference.offset(anchors[anchor], box)
            )
        cls_sum += loss
        count += max(n, 1)
    return cls_sum / count, reg_sum / count


@pytest.mark.parametrize('level', [0, 1, 2])
def test_one_level_equals_the_slow_reference(detector, batch, level):
    model = with_levels(detector, (level,))
    got = total(model.loss(*batch))
    want = hybrid_reference(with_levels(detector, (level,)), *batch, level)
    assert got['loss_cls'].item() == pytest.approx(want[0], rel=1e-4)
    assert got['loss_bbox'].item() == pytest.approx(want[1], rel=1e-4)


def test_one_level_is_neither_the_stock_loss_nor_boxmix(detector, batch):
    values = {
        levels: total(with_levels(detector, levels).loss(*batch))['loss_cls'].item()
        for levels in ((), (0,), (1,), (2,), (0, 1, 2))
    }
    assert len(set(values.values())) == 5


@pytest.mark.parametrize('levels', [(0,), (0, 1, 2)])
def test_images_mixed_with_weight_1_are_the_stock_loss(detector, batch, levels):
    one = dict(type='Constant', value=1.0)
    got = total(with_levels(detector, levels, ratio=one).loss(*batch))
    close(got, total(with_levels(detector, ()).loss(*batch)), atol=1e-6, rtol=1e-5)


def test_a_mixer_that_is_switched_off_leaves_the_stock_loss(detector, batch):
    model = with_levels(detector, (1,))
    model.mixer.enabled = False
    want = total(with_levels(detector, ()).loss(*batch))
    got = total(model.loss(*batch))
    assert all(torch.equal(got[name], want[name]) for name in want)


def test_gradients_of_a_level_come_from_the_batch_that_made_it(detector, batch):
    """Other levels' predictions do not depend on the partner's image."""
    inputs, samples = batch
    model = with_levels(detector, (2,))
    seen = {}
    forward = model.extract_feat

    def spy(x):
        x = x.detach().requires_grad_()
        seen[len(seen)] = x
        return forward(x)

    model.extract_feat = spy
    losses = model.loss(inputs, samples)
    sum(part.sum() for part in losses['loss_cls']).backward()
    assert torch.equal(seen[0], inputs)
    assert not torch.equal(seen[1], inputs)
    assert all(seen[k].grad.abs().sum() > 0 for k in (0, 1))


def test_state_dict_keys_are_those_of_the_plain_detector(detector):
    plain = Config.fromfile(config_path('demo/ssd_digits.py')).model
    assert list(detector.state_dict()) == list(MODELS.build(plain).state_dict())


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (dict(bbox_head=dict(mix_levels=[3])), ValueError, r'among \[0, 1, 2\]'),
        (dict(bbox_head=dict(supervision=dict(type='LossMix'))), ValueError, 'BoxMix'),
        (dict(mixer=dict(supervision=dict(type='LossMix'))), ValueError, 'BoxMix'),
        (dict(mixer=dict(align='center')), ValueError, "align='resize'"),
        (dict(mixer=dict(keep='dominant')), ValueError, "keep='all'"),
    ],
)
def test_bad_settings_are_refused(change, error, message):
    model = config()
    for part, settings in change.items():
        model[part].update(settings)
    with pytest.raises(error, match=message):
        MODELS.build(model)


def test_other_heads_and_mixers_are_refused():
    plain = config()
    plain.bbox_head.type = 'MixSSDHead'
    del plain.bbox_head.mix_levels
    with pytest.raises(TypeError, match='must be a LevelMixSSDHead, got MixSSDHead'):
        MODELS.build(plain)
    model = config()
    model.mixer = dict(type='BatchSyncRandomResize', random_size_range=(1, 2))
    with pytest.raises(TypeError, match='must be a MixBatch'):
        MODELS.build(model)
