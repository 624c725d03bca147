"""The leaf configs with a teacher: their text, their keys, and their data."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmengine.config import Config

from .config_cases import (
    ALL,
    CONFIGS,
    check_mixer,
    depth,
    gpus_and_batch,
    load,
    top_level,
)
from .semi_cases import (
    BASES,
    COCO,
    MIXED_LEAVES,
    PERCENTS,
    SEMI_LEAVES,
    SEMI_METHODS,
    VOC,
    base_and_method,
    sources,
    teacher_hook,
    without_mixing,
)
from .test_configs import CONFIG_KEYS

every_leaf = pytest.mark.parametrize('leaf', SEMI_LEAVES)


def test_no_leaf_is_missing_and_none_is_forgotten_here():
    assert [leaf for leaf in ALL if leaf.startswith('semi/')] == SEMI_LEAVES


@every_leaf
def test_a_leaf_is_short_and_only_composes(leaf):
    assert all(isinstance(statement, ast.Assign) for statement in top_level(leaf))
    text = (CONFIGS / leaf).read_text()
    assert '_delete_' not in text
    assert len(text.splitlines()) <= 25
    assert depth(CONFIGS / leaf) <= 3


@every_leaf
def test_keys_are_those_of_a_runner_and_mix(leaf):
    mixed = {'mix'} if leaf in MIXED_LEAVES else set()
    assert set(load(leaf)) - CONFIG_KEYS == mixed


@every_leaf
def test_all_batch_sizes_agree(leaf):
    gpus, batch = gpus_and_batch(leaf)
    cfg = load(leaf)
    sampler = cfg.train_dataloader.sampler
    assert cfg.train_dataloader.batch_size == sampler.batch_size == batch
    assert sum(sampler.source_ratio) == batch
    assert min(sampler.source_ratio) >= 2, 'one image cannot be mixed with its like'
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)


@every_leaf
def test_readme_lists_every_leaf_with_its_batch(leaf):
    lines = (CONFIGS / 'semi/README.md').read_text().splitlines()
    (row,) = (line for line in lines if f'[{Path(leaf).stem}]' in line)
    assert f'({Path(leaf).name})' in row
    labelled, unlabelled = load(leaf).train_dataloader.sampler.source_ratio
    assert f'| {gpus_and_batch(leaf)[0]} × ({labelled} + {unlabelled}) |' in row


@pytest.mark.parametrize('leaf', MIXED_LEAVES)
def test_a_method_differs_from_the_mean_teacher_by_the_method_alone(leaf):
    base, method = base_and_method(leaf)
    assert without_mixing(leaf) == load(f'{base}_mean-teacher.py').to_dict()
    cfg = load(leaf)
    assert cfg.model.mixers == dict(sup=cfg.mix, unsup=cfg.mix, cross=cfg.mix)
    check_mixer(MODELS.build(copy.deepcopy(cfg.mix)), SEMI_METHODS[method])


@every_leaf
def test_it_trains_evaluates_and_saves_as_a_teacher_does(leaf):
    cfg = load(leaf)
    assert cfg.model.type == 'MixTeacher'
    assert cfg.model.semi_test_cfg.predict_on == 'teacher'
    assert (cfg.train_cfg.type, cfg.val_cfg.type) == (
        'IterBasedTrainLoop',
        'TeacherStudentValLoop',
    )
    assert [hook.type for hook in cfg.custom_hooks] == [
        'ClassCountHook',
        'CheckInvalidLossHook',
        'MixScheduleHook',
        'MixTeacherHook',
        'TeacherPreviewHook',
        'IterationSeedHook',
        'ResumeSkipHook',
    ]
    assert cfg.train_dataloader.dataset.type == 'SeededDataset'
    assert cfg.train_dataloader.sampler.type == 'MixSourceSampler'
    metric = 'coco/AP' if 'coco' in leaf else 'pascal_voc/mAP'
    checkpoint = cfg.default_hooks.checkpoint
    assert (checkpoint.save_best, checkpoint.rule) == (f'teacher/{metric}', 'greater')
    assert (checkpoint.by_epoch, cfg.log_processor.by_epoch) == (False, False)
    assert cfg.train_cfg.val_interval % checkpoint.interval == 0
    settings = cfg.model.semi_train_cfg
    assert teacher_hook(leaf).burn_in + settings.ramp_up < cfg.train_cfg.max_iters / 3
    assert (settings.sup_weight, settings.cross_weight) == (1.0, 1.0)
    assert settings.regress_pseudo is False


@pytest.mark.parametrize('base', BASES)
def test_pipelines_load_safely_and_end_in_their_branches(base):
    cfg = load(f'{base}_mean-teacher.py')
    labelled, unlabelled = sources(cfg)
    for part in (labelled, unlabelled):
        assert part.pipeline[0].type == 'CheckedLoadImageFromFile'
        assert part.pipeline[-1].type == 'MultiBranch'
        fields = part.pipeline[-1].branch_field
        assert fields == ['sup', 'unsup_teacher', 'unsup_student']
    assert labelled.pipeline[-1].sup == dict(type='PackDetInputs')
    assert unlabelled.pipeline[1].type == 'LoadEmptyAnnotations'
    assert len(unlabelled.pipeline) == 3
    # An image without boxes is one to learn from, if nobody has labelled it.
    assert labelled.filter_cfg.filter_empty_gt is True
    assert unlabelled.filter_cfg.filter_empty_gt is False


@pytest.mark.parametrize('fold', [None, 1, 5])
def test_one_variable_chooses_the_fold(fold, monkeypatch):
    monkeypatch.delenv('SEMI_FOLD', raising=False)
    if fold is not None:
        monkeypatch.setenv('SEMI_FOLD', str(fold))
    for base, percent in zip(COCO, PERCENTS):
        cfg = Config.fromfile(CONFIGS / f'{base}_mean-teacher-lossmix.py')
        stem = f'semi_anns/instances_train2017.{fold or 1}@{percent}'
        labelled, unlabelled = sources(cfg)
        assert labelled.ann_file == f'{stem}.json'
        assert unlabelled.ann_file == f'{stem}-unlabeled.json'
        for part in (labelled, unlabelled):
            assert (part.data_root, part.data_prefix.img) == (
                'data/coco/',
                'train2017/',
            )
        assert cfg.val_dataloader.dataset.ann_file.endswith('instances_val2017.json')


@pytest.mark.parametrize('base', VOC)
def test_voc07_is_labelled_and_voc12_is_not(base):
    cfg = load(f'{base}_mean-teacher.py')
    kinds = {2007: 'VOCDataset', 2012: 'UnlabelledVOCDataset'}
    for part, year in zip(sources(cfg), kinds):
        assert part.type == kinds[year]
        assert part.ann_file == f'VOC{year}/ImageSets/Main/trainval.txt'
        assert part.data_prefix.sub_data_root == f'VOC{year}/'
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.ann_file == 'VOC2007/ImageSets/Main/test.txt'
    assert [metric.type for metric in cfg.test_evaluator] == [
        'VOCStyleMetric',
        'CocoStyleMetric',
    ]
