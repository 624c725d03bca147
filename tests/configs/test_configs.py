"""Every leaf config: its name, its text, its keys, and what it is the same as."""

from __future__ import annotations

import ast
import copy
import inspect
import re
from pathlib import Path

import pytest
from mmdet.datasets import VOCDataset
from mmdet.registry import METRICS, MODELS
from mmengine.runner import Runner

from mmmix.testing.digits.settings import CLASSES as DIGITS

from .config_cases import (
    CONFIGS,
    FOUND,
    LEAVES,
    MIXED,
    STUDIED,
    WITH_MIX,
    check_mixer,
    classifier,
    depth,
    gpus_and_batch,
    load,
    method_of,
    mmdet_config,
    of_the_paper,
    pipelines,
    plain,
    split,
    top_level,
)

RUNNER_KEYS = set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}
CONFIG_KEYS = RUNNER_KEYS | {'custom_imports'}
every_leaf = pytest.mark.parametrize('leaf', LEAVES)


def test_no_leaf_is_missing_and_none_is_forgotten_here():
    assert FOUND == LEAVES


@every_leaf
def test_keys_are_those_of_a_runner_and_mix(leaf):
    cfg = load(leaf)
    mixed = {'mix'} if leaf in WITH_MIX else set()
    assert set(cfg) - CONFIG_KEYS == mixed
    assert cfg.default_scope == 'mmdet'
    assert cfg.custom_imports == dict(imports=['mmmix'], allow_failed_imports=False)


@every_leaf
def test_a_leaf_is_short_and_only_composes(leaf):
    statements = top_level(leaf)
    assert all(isinstance(statement, ast.Assign) for statement in statements)
    assert '_delete_' not in (CONFIGS / leaf).read_text()
    assert len((CONFIGS / leaf).read_text().splitlines()) <= 25
    assert depth(CONFIGS / leaf) <= 3


@every_leaf
def test_head_comment_batch_and_base_batch_size_agree(leaf):
    gpus, batch = gpus_and_batch(leaf)
    cfg = load(leaf)
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)


@every_leaf
def test_readme_lists_every_leaf_with_its_batch(leaf):
    readme = (CONFIGS / leaf).parent / 'README.md'
    lines = readme.read_text().splitlines()
    rows = [line for line in lines if f'[{Path(leaf).stem}]' in line]
    assert len(rows) == 1, f'{readme} should have one row for {leaf}'
    assert f'({Path(leaf).name})' in rows[0]
    gpus, batch = gpus_and_batch(leaf)
    assert f'| {gpus} × {batch} |' in rows[0]


@pytest.mark.parametrize('leaf', MIXED)
def test_a_method_differs_from_its_baseline_by_the_method_alone(leaf):
    baseline = f'{split(leaf)[0]}.py'
    assert plain(leaf, without_mixing=True) == plain(baseline)
    cfg = load(leaf)
    wrapped = cfg.model.type == 'LossMixDetector'
    mix = dict(cfg.mix, lam_per='batch') if wrapped else dict(cfg.mix)
    mix |= of_the_paper(leaf)
    assert cfg.model.data_preprocessor.batch_augments == [mix]
    check_mixer(MODELS.build(copy.deepcopy(mix)), method_of(leaf))


@pytest.mark.parametrize(
    ('leaf', 'name'),
    [
        ('ssd300_voc.py', 'pascal_voc/ssd300_voc0712.py'),
        ('ssd300_coco.py', 'ssd/ssd300_coco.py'),
    ],
)
def test_the_model_is_mmdets_with_another_head(leaf, name):
    """Guards against drift of mmdet's model, and of ours."""
    ours = plain(leaf)['model']
    stock = mmdet_config(name)['model']
    assert ours['bbox_head'].pop('type') == 'MixSSDHead'
    assert stock['bbox_head'].pop('type') == 'SSDHead'
    assert ours.pop('_scope_') == 'mmdet'
    assert ours == stock


@every_leaf
def test_images_are_checked_when_loaded_and_the_last_step_packs(leaf):
    cfg = plain(leaf)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        for pipeline in pipelines(cfg[loader]['dataset']):
            assert pipeline[0]['type'] == 'CheckedLoadImageFromFile'
            assert pipeline[-1]['type'] == 'PackDetInputs'
    train = cfg['train_dataloader']
    assert train.get('batch_sampler', train)['drop_last'] is True


@every_leaf
def test_evaluation_reports_voc_map_and_coco_ap(leaf):
    cfg = plain(leaf)
    coco = dict(
        type='CocoStyleMetric',
        ann_file='data/coco/annotations/instances_val2017.json',
    )
    if '_coco' in leaf:
        assert cfg['val_evaluator'] == cfg['test_evaluator'] == coco
        best = 'coco/AP'
    else:
        assert cfg['val_evaluator'] == cfg['test_evaluator']
        voc, style = (METRICS.build(metric) for metric in cfg['val_evaluator'])
        kind = 'VOCMetric' if '_digits' in leaf else 'VOCStyleMetric'
        assert (type(voc).__name__, voc.eval_mode, voc.iou_thrs) == (
            kind,
            '11points',
            [0.5],
        )
        assert type(style).__name__ == 'CocoStyleMetric'
        for pipeline in pipelines(cfg['test_dataloader']['dataset']):
            assert 'instances' in pipeline[-1]['meta_keys']
        by_ap = leaf in STUDIED and 'lossmix' in leaf
        best = 'pascal_voc/AP' if by_ap else 'pascal_voc/mAP'
    checkpoint = cfg['default_hooks']['checkpoint']
    assert (checkpoint['save_best'], checkpoint['rule']) == (best, 'greater')


@every_leaf
def test_checkpoints_and_the_log_count_as_the_loop_does(leaf):
    cfg = load(leaf)
    by_epoch = cfg.train_cfg.type == 'EpochBasedTrainLoop'
    assert cfg.log_processor.by_epoch is by_epoch
    assert cfg.default_hooks.checkpoint.get('by_epoch', True) is by_epoch
    assert cfg.default_hooks.checkpoint.max_keep_ckpts == 3
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    assert cfg.train_dataloader.sampler == dict(type=sampler, shuffle=True)
    assert all(s.get('by_epoch', True) is by_epoch for s in cfg.param_scheduler[-1:])


@every_leaf
def test_hooks_check_classes_and_losses_and_show_the_mix(leaf):
    hooks = [hook.type for hook in load(leaf).custom_hooks]
    assert hooks == [
        'ClassCountHook',
        'CheckInvalidLossHook',
        'MixScheduleHook',
        'MixPreviewHook',
    ]


@every_leaf
def test_the_head_has_as_many_classes_as_the_data(leaf):
    head = classifier(load(leaf).model)
    if '_digits' in leaf:
        dataset = load(leaf).train_dataloader.dataset
        assert tuple(dataset.metainfo.classes) == DIGITS
        assert head.num_classes == len(DIGITS)
    elif '_coco' in leaf:
        assert head.num_classes == 80
    else:
        assert head.num_classes == len(VOCDataset.METAINFO['classes'])


def test_comments_name_no_internal_shorthand():
    """Sources are named in words; P0 to P3 mean nothing to a reader."""
    for path in CONFIGS.rglob('*'):
        if path.suffix in ('.py', '.md'):
            assert not re.search(r'\bP[0-3]\b', path.read_text()), path
