"""Heads and losses that would lose λ are refused before the first step."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmengine.config import Config
from mmpretrain.registry import MODELS

from mmmix.apis.configs import train_options
from mmmix.apis.run_checks.batch import _mixed_labels
from mmmix.apis.training_checks import check_mixing
from mmmix.engine.described_mixers import described_mixers
from mmmix.engine.find_mixers import label_mixers

from .batches import scored

SMOOTH = dict(type='LabelSmoothLoss', label_smooth_val=0.1)
SEVERAL = dict(SMOOTH, mode='multi_label', use_sigmoid=True)
CUTMIX = dict(train_cfg=dict(augments=[dict(type='ClsCutMixBatch')]))
MIXUP = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)], probs=[0.5]))
ALIGN = dict(type='AlignMixClassifier')


def built(head=None, **model):
    head = dict(dict(type='LinearClsHead', num_classes=5, in_channels=32), **head or {})
    base = dict(
        type='ImageClassifier',
        backbone=dict(type='PreActResNet', base_channels=4),
        neck=dict(type='GlobalAveragePooling'),
        data_preprocessor=dict(num_classes=5),
        head=head,
    )
    return MODELS.build(copy.deepcopy({**base, **model}))


def check(model, training=True, batch=2):
    """As a run checks it, whose data have no mixers."""
    dataset = SimpleNamespace(dataset=SimpleNamespace())
    cfg = Config(dict(train_dataloader=dict(batch_size=batch)))
    check_mixing(
        SimpleNamespace(model=model, cfg=cfg, train_dataloader=dataset), training
    )


@pytest.mark.parametrize('mixer', [CUTMIX, MIXUP, ALIGN])
@pytest.mark.parametrize(
    'head',
    [
        {},
        dict(loss=SMOOTH),
        dict(loss=dict(type='FocalLoss')),
        dict(loss=dict(type='AsymmetricLoss')),
        dict(loss=dict(type='CrossEntropyLoss', class_weight=[1.0, 2, 3, 4, 5])),
        dict(loss=dict(type='CrossEntropyLoss', use_sigmoid=True)),
        dict(type='StackedLinearClsHead', mid_channels=[8]),
        dict(type='MultiLabelLinearClsHead'),
        dict(type='LossMixHead', loss=SEVERAL),
        dict(type='LossMixHead', loss=dict(type='SeesawLoss', num_classes=5)),
    ],
)
def test_what_heeds_mixed_labels_is_taken_as_it_is(head, mixer):
    model = built(head, **mixer)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    check(model)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


REFUSED = [
    (dict(loss=SEVERAL), 'LabelSmoothLoss, takes each of their classes in full'),
    (dict(loss=dict(type='SeesawLoss', num_classes=5)), 'SeesawLoss, takes none: Exp'),
    (dict(type='ArcFaceClsHead'), 'ArcFaceClsHead gives its margin to the class'),
    (dict(type='MultiLabelLinearClsHead', loss=SEVERAL), 'in full, whatever'),
]


@pytest.mark.parametrize('mixer', [CUTMIX, MIXUP, ALIGN])
@pytest.mark.parametrize(('head', 'text'), REFUSED)
def test_what_would_lose_lam_is_refused_where_something_mixes(head, text, mixer):
    check(built(head))
    check(built(head, **mixer), training=False)
    name = label_mixers(built(head, **mixer))[0]
    with pytest.raises(ValueError, match=f'{name} mixes labels, and .*{text}'):
        check(built(head, **mixer))


def test_the_loss_that_is_refused_does_lose_lam():
    """What the refusal stands for: 0.1 of a class counts as much as 0.9 of it."""
    head = built(dict(loss=SEVERAL)).head
    x, eye = torch.randn(1, 32), torch.eye(5)
    losses = [
        head.loss((x,), scored((lam * eye[1] + (1 - lam) * eye[2])[None]))['loss']
        for lam in (0.1, 0.9)
    ]
    assert torch.equal(*losses)


def test_the_mixers_of_a_model_are_told_without_the_share_that_stays():
    assert label_mixers(built()) == []
    assert label_mixers(built(**MIXUP)) == ['Mixup']
    assert label_mixers(built(**ALIGN)) == ['AlignMixClassifier']
    samples = scored(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    told = 'Mixup: 1 of 2 labels are of several classes'
    assert _mixed_labels(built(**MIXUP), samples) == told


@pytest.mark.parametrize('mixer', [CUTMIX, ALIGN])
def test_a_batch_of_one_is_warned_about(mixer, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.apis.training_checks.print_log', lambda text, **_: said.append(text)
    )
    check(built(**mixer))
    check(built(), batch=1)
    assert not said
    check(built(**mixer), batch=1)
    (text,) = said
    assert text.endswith('nothing will be mixed. Raise it')


def test_the_mixers_of_a_config_are_told_with_their_settings():
    """What checkpoints keep, so that a resume with others is told."""

    def told(**model):
        return described_mixers(Config(dict(default_scope='mmpretrain', model=model)))

    assert told(type='ImageClassifier', head=dict(type='LinearClsHead')) == []
    assert told(**CUTMIX) == ['ClsCutMixBatch()']
    assert told(**MIXUP) == ['Mixup(alpha=1.0) with probs=[0.5]']
    assert told(train_cfg=dict(augments=dict(type='CutMix', alpha=0.2))) == [
        'CutMix(alpha=0.2)'
    ]
    inner = dict(batch_augments=dict(augments=[dict(type='ResizeMix', alpha=1)]))
    assert told(data_preprocessor=inner) == ['ResizeMix(alpha=1)']
    aligned = dict(ALIGN, input_prob=0.2, head=dict(type='LinearClsHead'))
    assert told(**aligned) == ['AlignMixClassifier(input_prob=0.2)']


def test_a_resume_with_another_mixer_is_told_without_the_option_of_detectors(
    monkeypatch,
):
    said = []
    monkeypatch.setattr(train_options, 'print_log', lambda text, **_: said.append(text))
    cfg = Config(dict(default_scope='mmpretrain', model=CUTMIX))
    train_options._warn_of_other_mixers(cfg, dict(mixers=['ClsCutMixBatch()']))
    assert not said
    train_options._warn_of_other_mixers(cfg, dict(mixers=[]))
    (text,) = said
    assert 'of a run with no mixer, which goes on with ClsCutMixBatch()' in text
    assert 'take the config and --cfg-options as before' in text
    assert '--mix' not in text
