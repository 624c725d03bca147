"""The leaf configs of domain adaptation: their text, their keys, their methods."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import pytest
from mmdet.datasets import VOCDataset
from mmdet.registry import METRICS, MODELS
from mmengine.config import Config

from mmmix.apis.configs.plain_config import plain_config

from .config_cases import ALL, CONFIGS, depth, gpus_and_batch, load, top_level
from .domain_cases import (
    DOMAIN_LEAVES,
    DOMAIN_MATRIX,
    LAMBDAS,
    LETTER,
    METHOD_LEAVES,
    SMALL_BATCH,
    domains,
    parts,
    single_sets,
)
from .test_configs import CONFIG_KEYS

every_leaf = pytest.mark.parametrize('leaf', DOMAIN_LEAVES)
every_base = pytest.mark.parametrize('base', DOMAIN_MATRIX)


def test_no_leaf_is_missing_and_none_is_forgotten_here():
    assert [leaf for leaf in ALL if 'domain' in leaf] == DOMAIN_LEAVES


@every_leaf
def test_a_leaf_is_short_and_only_composes(leaf):
    assert all(isinstance(statement, ast.Assign) for statement in top_level(leaf))
    text = (CONFIGS / leaf).read_text()
    assert '_delete_' not in text
    assert len(text.splitlines()) <= 25
    assert depth(CONFIGS / leaf) <= 3


@every_leaf
def test_keys_are_those_of_a_runner_and_mix(leaf):
    mixed = {'mix'} if parts(leaf)[2].mixed else set()
    assert set(load(leaf)) - CONFIG_KEYS == mixed


@every_leaf
def test_all_batch_sizes_agree(leaf):
    gpus, batch = gpus_and_batch(leaf)
    cfg = load(leaf)
    sampler = cfg.train_dataloader.sampler
    assert sampler.type == 'MixSourceSampler'
    assert cfg.train_dataloader.batch_size == sampler.batch_size == batch
    assert sum(sampler.source_ratio) == batch
    assert len(sampler.source_ratio) == len(domains(cfg)) == len(parts(leaf)[2].domains)
    assert len(set(sampler.source_ratio)) == 1
    assert min(sampler.source_ratio) >= 2, 'one image cannot be mixed with its like'
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)


@every_leaf
def test_readme_lists_every_leaf_with_its_batch(leaf):
    lines = (CONFIGS / leaf).parent.joinpath('README.md').read_text().splitlines()
    (row,) = (line for line in lines if f'[{Path(leaf).stem}]' in line)
    assert f'({Path(leaf).name})' in row
    images = ' + '.join(map(str, load(leaf).train_dataloader.sampler.source_ratio))
    images = f'({images})' if '+' in images else images
    assert f'| {gpus_and_batch(leaf)[0]} × {images} |' in row


def without_method(leaf: str) -> dict[str, Any]:
    """A leaf as plain dicts, without all that may differ between methods."""
    cfg = load(leaf).to_dict()
    cfg.pop('mix', None)
    cfg['model'].pop('mixers')
    for name in LAMBDAS:
        cfg['model']['semi_train_cfg'].pop(f'lambda_{name}')
    loader = cfg['train_dataloader']
    ratio = loader['sampler'].pop('source_ratio')
    if 'digits' in leaf:
        # There the number of labelled images is the same, so the batches differ.
        assert ratio[0] == 4
        sizes = loader.pop('batch_size'), loader['sampler'].pop('batch_size')
        assert sizes == (sum(ratio),) * 2
        assert cfg.pop('auto_scale_lr')['base_batch_size'] == sum(ratio)
    cfg['train_dataloader']['dataset']['dataset'].pop('datasets')
    return cfg


@every_base
def test_methods_share_all_but_what_makes_them(base):
    """Augmentation is another test; the rest, moving average included, is here."""
    reference = without_method(f'{base}_lossmix.py')
    for method in DOMAIN_MATRIX[base]:
        assert without_method(f'{base}_{method}.py') == reference, method


@pytest.mark.parametrize('leaf', METHOD_LEAVES)
def test_a_method_has_its_terms_mixers_and_supervision(leaf):
    cfg, method = load(leaf), parts(leaf)[2]
    settings = cfg.model.semi_train_cfg
    weights = {name: settings[f'lambda_{name}'] for name in LAMBDAS}
    full = dict.fromkeys(LAMBDAS, 1.0) | dict(disc=0.1)
    assert weights == {name: full[name] * (name in method.terms) for name in LAMBDAS}
    mixers = cfg.model.mixers or {}
    assert set(mixers) == {*method.mixed, *method.noisy}
    for term in method.mixed:
        assert mixers[term] == cfg.mix
    for term in method.noisy:
        assert mixers[term] == dict(
            type='MixBatch',
            ratio=dict(type='Uniform', low=0.9, high=1.0),
            keep='dominant',
        )
    for mixer in map(MODELS.build, copy.deepcopy(list(mixers.values()))):
        balanced = mixer.settings.keep == 'all'
        expected = method.supervision if balanced else 'Union'
        assert type(mixer.supervision).__name__ == expected


@pytest.mark.parametrize('leaf', METHOD_LEAVES)
def test_a_method_reads_the_images_of_its_domains_with_the_same_augmentation(leaf):
    base, pair, method = parts(leaf)
    source, target = domains(load(f'{base}_lossmix.py'))
    found = domains(load(leaf))
    if method.domains == ('source',):
        assert found == [source]
    elif method.domains == ('target',):
        (oracle,) = found
        like = single_sets(source)[0]
        assert (oracle.type, oracle.data_root) == (target.type, target.data_root)
        assert oracle.ann_file == target.ann_file
        assert oracle.data_prefix == target.data_prefix
        assert oracle.pipeline == like.pipeline
        assert oracle.filter_cfg == like.filter_cfg
    else:
        assert found == [source, target]


@every_base
def test_source_target_and_test_images(base):
    pair = parts(f'{base}_lossmix.py')[1]
    cfg = load(f'{base}_lossmix.py')
    source, target = domains(cfg)
    years = ('VOC2007', 'VOC2012') if 'voc' in base else ('',)
    for part, year in zip(single_sets(source), years, strict=True):
        split = 'trainval' if year else 'train'
        assert Path(part.ann_file) == Path(year, f'ImageSets/Main/{split}.txt')
        assert Path(part.data_prefix.sub_data_root) == Path(year)
        assert part.data_root == ('data/VOCdevkit/' if year else 'data/digits/')
        assert part.filter_cfg.filter_empty_gt is True
    assert target.filter_cfg.filter_empty_gt is False
    tests = {'val_dataloader': pair.test, 'test_dataloader': 'test'}
    tested = {cfg[loader].dataset.ann_file: cfg[loader].dataset for loader in tests}
    assert set(tested) == {f'ImageSets/Main/{split}.txt' for split in tests.values()}
    for dataset in (target, *tested.values()):
        assert dataset.type == pair.dataset
        assert dataset.data_root == f'data/{pair.target}/'
        assert dataset.data_prefix == dict(sub_data_root='')
    assert target.ann_file == 'ImageSets/Main/train.txt'


@pytest.mark.parametrize('value', [None, 'voc0712', 'voc12'])
def test_one_variable_takes_voc12_alone_as_the_source(value, monkeypatch):
    monkeypatch.delenv('VOC_SOURCE', raising=False)
    if value is not None:
        monkeypatch.setenv('VOC_SOURCE', value)
    years = ['VOC2012'] if value == 'voc12' else ['VOC2007', 'VOC2012']
    data = CONFIGS / '_base_/datasets'
    names = ('voc-clipart_short-600', 'voc-watercolor_short-600')
    for name in (*names, 'voc-clipart_expand-crop'):
        for suffix in ('', '_source'):
            cfg = Config.fromfile(data / f'{name}{suffix}.py')
            found = [part.ann_file[:7] for part in single_sets(domains(cfg)[0])]
            assert found == years


def test_another_source_is_refused_by_name(monkeypatch):
    monkeypatch.setenv('VOC_SOURCE', 'voc07')
    wanted = "VOC_SOURCE must be one of voc0712, voc12, got 'voc07'"
    with pytest.raises(ValueError, match=wanted):
        Config.fromfile(CONFIGS / 'domain_adaptation/ssd300_voc-clipart_lossmix.py')


@every_leaf
def test_it_trains_evaluates_and_saves_as_a_teacher_does(leaf):
    cfg = load(leaf)
    assert cfg.model.type == 'MixedDomainTeacher'
    assert cfg.model.data_preprocessor.type == 'OptionalBranchDataPreprocessor'
    assert cfg.train_dataloader.dataset.type == 'SeededDataset'
    assert (cfg.train_cfg.type, cfg.val_cfg.type) == (
        'IterBasedTrainLoop',
        'TeacherStudentValLoop',
    )
    assert cfg.train_cfg.val_interval % cfg.default_hooks.checkpoint.interval == 0
    checkpoint = cfg.default_hooks.checkpoint
    assert (checkpoint.by_epoch, checkpoint.rule) == (False, 'greater')
    assert checkpoint.save_best == 'current/pascal_voc/mAP'
    assert cfg.log_processor.by_epoch is False


@pytest.mark.parametrize('leaf', sorted({*DOMAIN_LEAVES} - {*LETTER}))
def test_a_step_that_is_not_finite_is_skipped_and_does_not_end_the_run(leaf):
    cfg = load(leaf)
    assert cfg.optim_wrapper.type == 'SkipNonFiniteOptimWrapper'
    max_norm = 10.0 if 'r101' in leaf else 35.0
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=max_norm, norm_type=2)
    assert [hook.type for hook in cfg.custom_hooks] == [
        'ClassCountHook',
        'MixScheduleHook',
        'MixTeacherHook',
        'DomainTeacherHook',
        'DivergenceWatchHook',
        'TeacherPreviewHook',
        'IterationSeedHook',
        'ResumeSkipHook',
    ]


@every_leaf
def test_evaluation_reports_voc_map_and_coco_ap(leaf):
    cfg = load(leaf)
    voc, style = cfg.val_evaluator
    assert cfg.test_evaluator == cfg.val_evaluator
    # The AP of each class is what the LossMix paper's Tables 4 and 5 print.
    kind = 'VOCMetric' if 'digits' in leaf else 'VOCStyleMetric'
    assert voc.type == kind
    assert METRICS.build(voc).iou_thrs == [0.5]
    assert voc.eval_mode == ('11points' if 'digits' in leaf else 'area')
    assert style.type == 'CocoStyleMetric'
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert 'instances' in loader.dataset.pipeline[-1].meta_keys


@every_leaf
def test_the_head_has_as_many_classes_as_the_data(leaf):
    cfg, pair = load(leaf), parts(leaf)[1]
    detector = cfg.model.detector
    assert detector.get('roi_head', detector).bbox_head.num_classes == len(pair.classes)


@pytest.mark.parametrize('leaf', SMALL_BATCH)
def test_the_small_batch_differs_by_rate_and_gpus_alone(leaf):
    cfg, full = load(leaf).to_dict(), load(leaf.replace('-1gpu', '')).to_dict()
    assert cfg['optim_wrapper']['optimizer'].pop('lr') == 0.002
    assert full['optim_wrapper']['optimizer'].pop('lr') == 0.005
    assert cfg.pop('auto_scale_lr')['base_batch_size'] == 4
    assert full.pop('auto_scale_lr')['base_batch_size'] == 16
    assert cfg == full


@pytest.mark.parametrize('base', [base for base in DOMAIN_MATRIX if 'voc' in base])
def test_an_exported_config_has_stock_types_and_the_classes(base):
    cfg = plain_config(load(f'{base}_lossmix.py'))
    pair = parts(f'{base}_lossmix.py')[1]
    assert cfg.model.type in ('FasterRCNN', 'SSD', 'SingleStageDetector')
    dataset = cfg.test_dataloader.dataset
    assert dataset.type == 'VOCDataset'
    stock = VOCDataset.METAINFO['classes']
    assert tuple(dataset.get('metainfo', {}).get('classes', stock)) == pair.classes
    assert 'MixedDomainTeacher' not in cfg.pretty_text
    assert 'mmmix' not in cfg.pretty_text
