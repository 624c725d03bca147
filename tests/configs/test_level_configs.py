"""The leaves that are mixed on one anchor level, and what comes of them."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.models import LevelMixSSDHead

from .config_cases import (
    LEVELS,
    Method,
    check_mixer,
    load,
    mixers_of,
    overrides_of,
    plain,
    split,
)
from .tiny_data import moved, write_tiny_data

VOC07 = 'studies/ssd300-r50_voc07_batch16.py'


def number(leaf: str) -> int:
    """The number of the level in a leaf's name, from 1 as in the paper."""
    return int(split(leaf)[1].removeprefix('level'))


def test_there_is_a_leaf_for_each_level_of_table_5():
    studies = [leaf for leaf in LEVELS if leaf.startswith('studies/')]
    assert [number(leaf) for leaf in studies] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize('leaf', LEVELS)
def test_a_leaf_differs_from_its_matched_baseline_by_the_level_alone(leaf):
    cfg = plain(leaf)
    model = cfg['model']
    assert model.pop('mixer') == cfg.pop('mix')
    assert model['bbox_head'].pop('mix_levels') == [number(leaf) - 1]
    assert model['bbox_head']['type'] == 'LevelMixSSDHead'
    model['bbox_head']['type'] = 'MixSSDHead'
    assert model['type'] == 'LevelMixDetector'
    model['type'] = 'SingleStageDetector'
    baseline = VOC07 if 'voc07' in leaf else f'{split(leaf)[0]}.py'
    assert cfg == plain(baseline)


@pytest.mark.parametrize('leaf', LEVELS)
def test_mixer_and_supervision_are_those_of_section_4_4(leaf):
    cfg = load(leaf)
    expected = Method('Beta(alpha=0.75)', 'resize', 'all', 'BoxMix')
    check_mixer(MODELS.build(copy.deepcopy(cfg.model.mixer)), expected)
    assert cfg.model.data_preprocessor.get('batch_augments') is None


def test_the_batch_of_table_5():
    cfg, table_1 = plain(VOC07), plain('ssd300-r50_voc07.py')
    assert cfg['auto_scale_lr']['base_batch_size'] == 16
    assert table_1['auto_scale_lr']['base_batch_size'] == 32
    table_1['auto_scale_lr'] = cfg['auto_scale_lr']
    assert cfg == table_1


def check_step(leaf: str, data: Path) -> None:
    """One training step: the mixer is used, the losses are finite."""
    cfg = Config(moved(load(leaf).to_dict(), data))
    drop_pretrained(cfg)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([dataset[k] for k in range(2)])
    model = MODELS.build(copy.deepcopy(cfg.model))
    model.init_weights()
    model.train()
    assert isinstance(model.bbox_head, LevelMixSSDHead)
    assert list(mixers_of(model)) == ['mixer']
    assert overrides_of(model) == []
    sizes = []
    model.mixer.register_forward_hook(lambda *args: sizes.append(len(args[2][1])))
    before = [p.detach().clone() for p in model.bbox_head.parameters()]
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    losses = model.train_step(batch, wrapper)
    assert sizes == [2]
    assert set(losses) == {'loss', 'loss_cls', 'loss_bbox'}
    assert all(torch.isfinite(loss) for loss in losses.values())
    after = list(model.bbox_head.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after))


def test_step_of_the_demo(tmp_path):
    write_tiny_data(tmp_path)
    check_step('demo/ssd_digits_level1.py', tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('leaf', LEVELS)
def test_full_step(leaf, tmp_path):
    write_tiny_data(tmp_path)
    check_step(leaf, tmp_path)
