"""The AlignMixup classifier: its two kinds of steps, draws, and what it refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import MODELS

from .batches import images, labelled
from .slow_alignmixup import align

MODEL = dict(
    backbone=dict(type='PreActResNet', base_channels=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=5, in_channels=32),
    data_preprocessor=dict(num_classes=5),
)
LABELS = [0, 3, 2, 2]


def build(kind='AlignMixClassifier', **settings):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy({**MODEL, 'type': kind, **settings}))


def parts(pre=None, **others):
    """Other parts of the model, and further settings of the preprocessor."""
    return {**others, 'data_preprocessor': {'num_classes': 5, **(pre or {})}}


def at_iteration(number):
    MessageHub.get_current_instance().update_info('iter', number)


def loss_at(model, number, count=4):
    at_iteration(number)
    samples = labelled(LABELS[:count])
    loss = model.loss(images(count, side=16), samples)['loss']
    return loss, torch.stack([sample.gt_score for sample in samples])


def partners_of(scores, lam):
    """The partners, and λ, that mixed labels tell; images of one class are skipped."""
    for own, row in zip(LABELS, scores):
        others = [label for label in set(LABELS) - {own} if row[label] > 0]
        if others:
            return float(row[own])
    return lam


def test_a_step_on_pixels_is_mixup():
    model = build(input_prob=1.0, pairing='roll')
    loss, scores = loss_at(model, 3)
    lam = partners_of(scores, 1.0)
    order = [1, 2, 3, 0]
    eye = torch.eye(5)[LABELS]
    torch.testing.assert_close(scores, lam * eye + (1 - lam) * eye[order])
    inputs = images(4, side=16)
    mixed = lam * inputs + (1 - lam) * inputs[order]
    other = build('ImageClassifier')
    expected = F.cross_entropy(other(mixed), scores)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize('own_prob', [0.0, 1.0])
def test_a_step_on_features_is_the_published_arithmetic(own_prob):
    model = build(input_prob=0.0, own_prob=own_prob, pairing='roll')
    loss, scores = loss_at(model, 3)
    lam = partners_of(scores, 1.0)
    assert 0 < lam < 1
    other = build('ImageClassifier')
    (maps,) = other.extract_feat(images(4, side=16), stage='backbone')
    flat = maps.detach().flatten(2).double().numpy()
    slow = align(flat, [1, 2, 3, 0], lam, bool(own_prob)).mixed.mean(axis=2)
    logits = other.head((torch.from_numpy(slow).float(),))
    torch.testing.assert_close(loss, F.cross_entropy(logits, scores), atol=1e-5, rtol=0)
    loss.backward()
    assert model.backbone.conv1.weight.grad.abs().sum() > 0


def test_both_coins_and_lam_are_drawn_anew_in_each_iteration(monkeypatch):
    module = 'mmmix.classification.models.align_mix_classifier.mix_aligned'
    seen = []

    def record(maps, partners, lam, keep_own, **plan):
        seen.append((lam, keep_own))
        return maps

    monkeypatch.setattr(module, record)
    model = build(pairing='permutation').requires_grad_(False)
    model.backbone.forward = lambda inputs: (inputs.new_zeros(len(inputs), 32, 2, 2),)
    for number in range(400):
        loss_at(model, number)
    lams, own = (np.array(values) for values in zip(*seen))
    assert abs(len(seen) / 400 - 0.5) < 0.1
    assert abs(own.mean() - 0.5) < 0.12
    # Beta(2, 2) has the variance 1 / 20.
    assert lams.mean() == pytest.approx(0.5, abs=0.05)
    assert lams.var() == pytest.approx(0.05, abs=0.012)


def test_a_step_depends_on_the_iteration_alone():
    model = build().eval()
    losses = [loss_at(model, number)[0].item() for number in (4, 5, 6, 4)]
    assert losses[0] == losses[3]
    assert len(set(losses)) == 3


def test_it_predicts_as_the_stock_classifier_does_and_has_its_keys():
    ours, stock = build().eval(), build('ImageClassifier').eval()
    assert list(ours.state_dict()) == list(stock.state_dict())
    scores = [
        torch.stack([s.pred_score for s in model.predict(images(2, 16), None)])
        for model in (ours, stock)
    ]
    assert torch.equal(*scores)


def test_a_batch_of_one_is_not_mixed_and_says_so():
    model, stock = build().eval(), build('ImageClassifier').eval()
    with pytest.warns(UserWarning, match='nothing to mix'):
        loss = model.loss(images(1, 16), labelled([3]))['loss']
    assert torch.equal(loss, stock.loss(images(1, 16), labelled([3]))['loss'])


@pytest.mark.parametrize(
    'labels', [[[0, 1], [2], [3, 4], [1, 2]], [[0, 1], [], [3], [2]]]
)
@pytest.mark.parametrize('input_prob', [0.0, 1.0])
def test_images_of_several_classes_are_mixed_as_the_stock_preprocessor_has_them(
    labels, input_prob
):
    """mmpretrain's one-hot labels, made by itself or by us, give the same step."""
    settings = dict(pairing='roll', input_prob=input_prob)
    head = dict(type='MultiLabelLinearClsHead', num_classes=5, in_channels=32)
    losses = []
    for onehot in (False, True):
        model = build(**settings, **parts(head=head, pre=dict(to_onehot=onehot)))
        at_iteration(3)
        data = dict(inputs=list(images(4, 16)), data_samples=labelled(labels))
        data = model.data_preprocessor(data, True)
        assert ('gt_score' in data['data_samples'][0]) == onehot
        losses.append(model(**data, mode='loss')['loss'])
        mixed = torch.stack([s.gt_score for s in data['data_samples']])
    assert torch.equal(*losses)
    whole = torch.tensor([[float(c in own) for c in range(5)] for own in labels])
    (lam,) = {round(float(v), 6) for v in mixed.flatten() if 0 < v < 1 and v > 0.5} or {
        1
    }
    rolled = whole[[1, 2, 3, 0]]
    sides = [w * whole + (1 - w) * rolled for w in (lam, 1 - lam)]
    assert any(torch.allclose(mixed, side, atol=1e-5) for side in sides)


def test_a_label_that_is_no_class_is_refused():
    """One-hot it would have no class at all, and be learned from in silence."""
    for label in (-1, 5):
        with pytest.raises(RuntimeError, match='expects labels from 0 to 4'):
            build().loss(images(4, 16), labelled([0, label, 2, 2]))


def test_a_head_that_keeps_no_number_of_classes_takes_the_preprocessors():
    head = dict(type='CSRAClsHead', num_classes=5, in_channels=32, num_heads=1, lam=0.1)
    model = build(**parts(head=head, neck=None))
    assert torch.isfinite(model.loss(images(4, 16), labelled(LABELS))['loss'])
    with pytest.raises(ValueError, match='set model.data_preprocessor.num_classes'):
        build(**parts(head=head, neck=None, pre=dict(num_classes=None)))


@pytest.mark.parametrize('input_prob', [0.5, 1.0])
def test_a_backbone_without_maps_is_told_what_to_set(input_prob):
    small = dict(embed_dims=32, num_layers=1, num_heads=2, feedforward_channels=32)
    vit = dict(type='VisionTransformer', arch=small, img_size=16, patch_size=4)
    head = dict(type='VisionTransformerClsHead', num_classes=5, in_channels=32)
    model = build(input_prob=input_prob, **parts(head=head, neck=None, backbone=vit))
    if input_prob == 1:
        assert torch.isfinite(model.loss(images(4, 16), labelled(LABELS))['loss'])
        return
    for number in range(4):  # pixels are blended in some of these steps
        at_iteration(number)
        with pytest.raises(ValueError, match=r'VisionTransformer gives \(4, 32\)'):
            model.loss(images(4, 16), labelled(LABELS))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match='mixes by itself'):
        build(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')]))
    with pytest.raises(KeyError, match='plan expects'):
        build(plan=dict(eps=0.1))
    with pytest.raises(ValueError, match='input_prob'):
        build(input_prob=1.5)
    with pytest.raises(ValueError, match='pairing'):
        build(pairing='all')
    with pytest.raises(ValueError, match='iterations must be at least 1, got 0'):
        build(plan=dict(iterations=0))
    with pytest.raises(ValueError, match='check_every=3 .* leave check_every out'):
        build(plan=dict(tolerance=None, check_every=3))
    assert build(plan=dict(tolerance=None)).plan['check_every'] is None
