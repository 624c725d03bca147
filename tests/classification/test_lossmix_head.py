"""LossMix of classifiers: Mixup for a softmax, and a slow sum for any loss."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import MODELS

from .batches import labelled, scored

LABELS = [(0, 3), (2, 2), (4, 1), (1, 0)]
LAMS = [0.3, 0.9, 1.0, 0.5]


class SquaredLoss(nn.Module):
    """The square of the cross-entropy: not linear in the label."""

    def forward(self, score, label, weight=None, avg_factor=None, **_):
        loss = F.cross_entropy(score, label, reduction='none').square()
        loss = loss if weight is None else loss * weight
        return loss.sum() / (avg_factor or len(loss))


def mixed_scores(dtype=torch.float32):
    eye = torch.eye(5, dtype=dtype)
    return torch.stack(
        [lam * eye[a] + (1 - lam) * eye[b] for lam, (a, b) in zip(LAMS, LABELS)]
    )


def heads(**loss):
    """LossMixHead and the stock head with the same parameters."""
    loss = loss or dict(type='CrossEntropyLoss')
    cfg = dict(num_classes=5, in_channels=7, loss=loss)
    torch.manual_seed(0)
    ours = MODELS.build(dict(type='LossMixHead', **copy.deepcopy(cfg)))
    stock = MODELS.build(dict(type='LinearClsHead', **copy.deepcopy(cfg)))
    stock.load_state_dict(ours.state_dict())
    return ours, stock


def features(seed=1):
    return torch.randn(4, 7, generator=torch.Generator().manual_seed(seed)) * 2


@pytest.mark.parametrize('smooth', [False, True])
def test_it_equals_mixup_for_the_cross_entropy_of_a_softmax(smooth):
    """LossMix, eq. 7-12; also where the loss smooths the labels, which is linear."""
    kind = dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='original')
    ours, stock = heads(**kind) if smooth else heads()
    inputs = [features().requires_grad_() for _ in range(2)]
    losses = [
        head.loss((x,), scored(mixed_scores()))['loss']
        for head, x in zip((ours, stock), inputs)
    ]
    torch.testing.assert_close(*losses, atol=1e-6, rtol=0)
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.fc.weight.grad, stock.fc.weight.grad)


def test_it_is_the_weighed_sum_of_the_losses_of_the_components():
    ours, _ = heads()
    ours.loss_module = SquaredLoss()
    x = features()
    loss = ours.loss((x,), scored(mixed_scores()))['loss']
    slow = 0.0
    for logits, lam, labels in zip(ours.fc(x), LAMS, LABELS):
        for weight, label in zip((lam, 1 - lam), labels):
            slow += weight * -(logits.log_softmax(0)[label] ** 2) * -1 / 4
    torch.testing.assert_close(loss, slow)
    mixup = (
        F.cross_entropy(ours.fc(x), mixed_scores(), reduction='none').square().mean()
    )
    assert (loss - mixup).abs() > 0.1


def test_three_components():
    ours = MODELS.build(
        dict(type='LossMixHead', num_classes=5, in_channels=7, components=3)
    )
    scores = torch.tensor([[0.5, 0.3, 0.2, 0.0, 0.0], [0.0, 0.0, 0.0, 0.4, 0.6]])
    x = features()[:2]
    loss = ours.loss((x,), scored(scores))['loss']
    torch.testing.assert_close(loss, F.cross_entropy(ours.fc(x), scores))


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16])
def test_weights_are_not_rounded_to_half_precision(kind):
    """Their sum is looked at, and losses are weighed, in single precision."""
    ours, stock = heads()
    lam = torch.linspace(0.01, 0.49, 30)[:, None]
    eye = torch.eye(5)
    scores = lam * eye[1] + (1 - lam) * eye[3]
    x = features()[:1].expand(30, -1)
    with torch.autocast('cpu', dtype=kind):
        loss = ours.loss((x,), scored(scores))['loss']
        want = F.cross_entropy(ours.fc(x).float(), scores)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, want, rtol=2e-6, atol=0)
    # What a third class takes is still seen.
    scores = torch.tensor([[0.0, 0.6, 0.0, 0.3985, 0.0015]])
    with (
        torch.autocast('cpu', dtype=kind),
        pytest.raises(RuntimeError, match='at most 2 classes'),
    ):
        ours.loss((x[:1],), scored(scores))


def test_samples_that_met_no_mixer_have_the_stock_loss():
    ours, stock = heads()
    x, labels = features(), labelled([0, 1, 2, 3])
    assert torch.equal(
        ours.loss((x,), labels)['loss'], stock.loss((x,), labels)['loss']
    )


@pytest.mark.parametrize('option', ['use_sigmoid', 'use_soft'])
@pytest.mark.parametrize('classes', [2, 5])
def test_a_loss_that_takes_no_labels_is_refused(option, classes):
    loss = {'type': 'CrossEntropyLoss', option: True}
    cfg = dict(type='LossMixHead', num_classes=classes, in_channels=7, loss=loss)
    with pytest.raises(ValueError, match='head.loss, CrossEntropyLoss, takes no'):
        MODELS.build(cfg)


@pytest.mark.parametrize('kind', ['FocalLoss', 'SeesawLoss'])
def test_other_losses_of_labels_are_taken_as_new(kind):
    settings = dict(num_classes=5) if kind == 'SeesawLoss' else {}
    ours, _ = heads(type=kind, **settings)
    fresh = MODELS.build(dict(type=kind, **settings))
    for name, value in fresh.state_dict().items():
        assert torch.equal(ours.loss_module.state_dict()[name], value)
    assert getattr(ours.loss_module, 'cum_samples', torch.zeros(1)).sum() == 0
    assert ours.loss((features(),), scored(mixed_scores()))['loss'] > 0


def test_a_loss_that_counts_labels_sees_none_that_is_not_there():
    """A batch that was not mixed has one class of weight 1 in each row."""
    ours, _ = heads(type='SeesawLoss', num_classes=5)
    ours.loss((features(),), scored(torch.eye(5)[[4, 3, 3, 2]]))
    counts = ours.loss_module.cum_samples
    assert (counts / counts.sum()).tolist() == [0, 0, 0.25, 0.5, 0.25]
    ours, _ = heads(type='SeesawLoss', num_classes=5)
    ours.loss((features()[:1],), scored(torch.tensor([[0, 0.3, 0, 0, 0.7]])))
    assert ours.loss_module.cum_samples.tolist() == [0, 1, 0, 0, 1]


def test_labels_of_images_of_several_classes_are_refused():
    """Their sum is above 1, and the highest would be taken of them."""
    ours, _ = heads()
    whole = torch.tensor([[1.0, 1, 0, 0, 0]] * 4)
    with pytest.raises(RuntimeError, match='take MultiLabelLinearClsHead'):
        ours.loss((features(),), scored(whole))


def test_labels_of_more_classes_than_components_are_refused():
    ours, _ = heads()
    with pytest.raises(RuntimeError, match='at most 2 classes'):
        ours.loss((features(),), scored(torch.full((4, 5), 0.2)))
    cfg = dict(type='LossMixHead', num_classes=5, in_channels=7)
    with pytest.raises(ValueError, match='components must be at least 1'):
        MODELS.build(dict(cfg, components=0))
    for components in (1.5, True):
        with pytest.raises(TypeError, match='components must be an integer'):
            MODELS.build(dict(cfg, components=components))
