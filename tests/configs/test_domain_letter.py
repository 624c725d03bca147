"""Leaves to the letter: the LossMix paper, suppl. D, and Adaptive Teacher's code."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmix.models.teachers.domain_train_settings import DomainTrainSettings

from .config_cases import CONFIGS, load
from .domain_cases import LETTER, domains, single_sets

every_leaf = pytest.mark.parametrize('leaf', LETTER)
CROPPED = [leaf for leaf in LETTER if 'adaptive-teacher' not in leaf]
TEACHERS = [leaf for leaf in LETTER if 'adaptive-teacher' in leaf]
CROP = dict(type='RandomCrop', crop_type='relative_range', crop_size=(0.9, 0.9))


def plain(leaf: str) -> str:
    """The leaf with what is ours."""
    return leaf.replace('-paper', '').replace('voc12', 'voc')


def unlabelled_and_labelled(cfg: Config) -> list:
    """Every data set of a batch, the target last."""
    source, target = domains(cfg)
    return [*single_sets(source), target]


@every_leaf
def test_nothing_clips_skips_or_rises(leaf):
    cfg = load(leaf)
    assert cfg.optim_wrapper.type == 'OptimWrapper'
    assert cfg.optim_wrapper.clip_grad is None
    settings = DomainTrainSettings.build(cfg.model.semi_train_cfg)
    assert settings.reversal(0) == settings.pseudo.ramp(0) == 1.0
    assert settings.pseudo.empty_batch == 'background'
    assert [settings.weight(name) for name in ('mss', 'mtt', 'disc')] == [1, 1, 0.1]
    hooks = [hook.type for hook in cfg.custom_hooks]
    assert hooks == [
        'CheckInvalidLossHook',
        *(h.type for h in load(plain(leaf)).custom_hooks),
    ]


@every_leaf
def test_all_else_is_as_without_the_word_paper(leaf):
    found, expected = (load(name).to_dict() for name in (leaf, plain(leaf)))
    for cfg in (found, expected):
        cfg.pop('custom_hooks')
        for name in ('type', 'clip_grad'):
            cfg['optim_wrapper'].pop(name)
        for name in ('disc_ramp_up', 'empty_batch', 'weak_source'):
            cfg['model']['semi_train_cfg'].pop(name, None)
        cfg['train_dataloader']['dataset']['dataset'].pop('datasets')
    assert found == expected


@pytest.mark.parametrize('leaf', CROPPED)
def test_weak_views_are_flipped_and_cropped(leaf):
    """Before the views part, so that strong ones are of the same crop."""
    ours = unlabelled_and_labelled(load(leaf))
    theirs = unlabelled_and_labelled(load(plain(leaf)))
    for part, other in zip(ours, theirs, strict=True):
        unlabelled = dict(allow_negative_crop=True) if part is ours[-1] else {}
        assert part.pipeline[2] == CROP | unlabelled
        assert [*part.pipeline[:2], *part.pipeline[3:]] == other.pipeline
        assert [step.type for step in part.pipeline[2:]] == [
            'RandomCrop',
            'Resize',
            'RandomFlip',
            'MultiBranch',
        ]
        assert {k: v for k, v in part.items() if k != 'pipeline'} == {
            k: v for k, v in other.items() if k != 'pipeline'
        }


def test_the_crop_has_nine_tenths_of_a_side_and_more():
    init_default_scope('mmdet')
    crop = TRANSFORMS.build(CROP | dict(allow_negative_crop=True))
    sizes = []
    for seed in range(50):
        np.random.seed(seed)
        results = dict(img=np.zeros((200, 300, 3), np.uint8), img_shape=(200, 300))
        sizes.append(crop(results)['img'].shape[:2])
    low, high = np.min(sizes, axis=0), np.max(sizes, axis=0)
    assert (low >= (180, 270)).all()
    assert (low <= (183, 274)).all()
    assert (high <= (200, 300)).all()
    assert (high >= (197, 296)).all()


@pytest.mark.parametrize('leaf', TEACHERS)
@pytest.mark.parametrize('value', [None, 'voc0712'])
def test_adaptive_teacher_learns_from_both_views_of_voc12_alone(
    leaf, value, monkeypatch
):
    monkeypatch.delenv('VOC_SOURCE', raising=False)
    if value is not None:
        monkeypatch.setenv('VOC_SOURCE', value)
    cfg = Config.fromfile(CONFIGS / leaf)
    assert cfg.model.semi_train_cfg.weak_source is True
    source, target = domains(cfg)
    (voc12,) = single_sets(source)
    assert voc12.ann_file == 'VOC2012/ImageSets/Main/trainval.txt'
    assert voc12.data_prefix.sub_data_root == 'VOC2012/'
    expected, other = domains(load(plain(leaf)))
    assert voc12 == single_sets(expected)[1]
    assert target == other
    assert {'sup', 'sup_weak'} <= set(voc12.pipeline[-1])
    assert 'RandomCrop' not in [step.type for step in voc12.pipeline]


@every_leaf
def test_the_readme_says_what_differs(leaf):
    text = (CONFIGS / 'domain_adaptation/README.md').read_text()
    for word in ('`-paper`', 'nine tenths', 'VOC12 trainval alone'):
        assert word in text, word
