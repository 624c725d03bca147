"""The digits leaves with few labels: their text, and what they build and load."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.runner import Runner

from mmmix.models.teachers import TeacherProgress

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
    SEMI_METHODS,
    base_and_method,
    on_tiny_data,
    sources,
    views,
    without_mixing,
)
from .test_configs import CONFIG_KEYS
from .tiny_data import write_tiny_data

DETECTORS = ('ssd', 'yolov3', 'faster-rcnn')
BASES = [f'demo/{detector}_digits-semi' for detector in DETECTORS]
TAUGHT = sorted(f'{base}_{method}.py' for base in BASES for method in SEMI_METHODS)
LEAVES = sorted([*TAUGHT, *(f'{base}_supervised.py' for base in BASES)])
every_leaf = pytest.mark.parametrize('leaf', LEAVES)
every_base = pytest.mark.parametrize('base', BASES)


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    write_tiny_data(root)
    return root


def batch_of(cfg: Config) -> dict:
    """The first batch of a leaf's dataloader."""
    return next(iter(Runner.build_dataloader(cfg.train_dataloader, seed=0)))


def test_no_leaf_is_missing_and_none_is_forgotten_here():
    assert [
        leaf for leaf in ALL if leaf.startswith('demo/') and 'semi' in leaf
    ] == LEAVES


@every_leaf
def test_a_leaf_is_short_and_only_composes(leaf):
    assert all(isinstance(statement, ast.Assign) for statement in top_level(leaf))
    text = (CONFIGS / leaf).read_text()
    assert '_delete_' not in text
    assert len(text.splitlines()) <= 25
    assert depth(CONFIGS / leaf) <= 3


@every_leaf
def test_keys_are_those_of_a_runner_and_mix(leaf):
    mixed = {'mix'} if leaf.endswith('mix.py') else set()
    assert set(load(leaf)) - CONFIG_KEYS == mixed


@every_leaf
def test_batch_sizes_agree_and_are_listed(leaf):
    cfg = load(leaf)
    gpus, batch = gpus_and_batch(leaf)
    sampler = cfg.train_dataloader.sampler
    assert cfg.train_dataloader.batch_size == sampler.batch_size == batch
    assert sum(sampler.source_ratio) == batch
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)
    lines = (CONFIGS / 'demo/README.md').read_text().splitlines()
    (row,) = (line for line in lines if f'[{Path(leaf).stem}]' in line)
    assert f'({Path(leaf).name})' in row
    assert row.endswith(f'| 1 × {"8" if leaf not in TAUGHT else "(8 + 8)"} |')


@pytest.mark.parametrize('leaf', [leaf for leaf in TAUGHT if leaf.endswith('mix.py')])
def test_a_method_differs_from_the_mean_teacher_by_the_method_alone(leaf):
    base, method = base_and_method(leaf)
    assert without_mixing(leaf) == load(f'{base}_mean-teacher.py').to_dict()
    cfg = load(leaf)
    assert cfg.model.mixers == dict(sup=cfg.mix, unsup=cfg.mix, cross=cfg.mix)
    # light for both: with LossMix's own alpha = 1 short runs fit too slowly
    expected = SEMI_METHODS[method]._replace(ratio='Beta(alpha=0.2)')
    check_mixer(MODELS.build(copy.deepcopy(cfg.mix)), expected)


@every_base
def test_teacher_and_supervised_only_differ_by_the_teacher_alone(base):
    """The same detector, labelled images, optimizer, and number of steps."""
    taught, alone = (
        load(f'{base}_{kind}.py').to_dict() for kind in ('mean-teacher', 'supervised')
    )
    detector = alone['model']
    assert taught['model']['detector'] == detector
    assert taught['model']['data_preprocessor'] == dict(
        type='MultiBranchDataPreprocessor',
        data_preprocessor=detector['data_preprocessor'],
    )
    # the model of the demo with all labels
    assert detector == load(f'{base[: -len("-semi")]}.py').to_dict()['model']
    same = ('optim_wrapper', 'param_scheduler', 'train_cfg', 'test_dataloader')
    for name in (*same, 'val_dataloader', 'val_evaluator', 'test_evaluator', 'env_cfg'):
        assert taught[name] == alone[name]
    loaders = [cfg['train_dataloader'] for cfg in (taught, alone)]
    parts = [loader.pop('dataset')['dataset']['datasets'] for loader in loaders]
    assert [len(part) for part in parts] == [2, 1]
    last = [part[0]['pipeline'].pop() for part in parts]
    assert last[0]['sup'] == last[1] == dict(type='PackDetInputs')
    assert parts[0][0] == parts[1][0]
    ratios = [loader['sampler'].pop('source_ratio') for loader in loaders]
    assert ratios == [[8, 8], [8]]
    for loader in loaders:
        del loader['batch_size'], loader['sampler']['batch_size']
    assert loaders[0] == loaders[1]
    hooks = [{hook['type'] for hook in cfg['custom_hooks']} for cfg in (taught, alone)]
    assert hooks[0] - hooks[1] == {'MixTeacherHook', 'TeacherPreviewHook'}
    assert hooks[1] - hooks[0] == {'MixPreviewHook'}
    loops = [cfg['val_cfg']['type'] for cfg in (taught, alone)]
    assert loops == ['TeacherStudentValLoop', 'ValLoop']
    best = [
        cfg['default_hooks']['checkpoint'].pop('save_best') for cfg in (taught, alone)
    ]
    assert best == ['teacher/pascal_voc/mAP', 'pascal_voc/mAP']
    assert taught['default_hooks'] == alone['default_hooks']


@every_base
def test_fifty_images_are_labelled_and_labels_of_the_others_are_not_read(base):
    cfg = load(f'{base}_mean-teacher-lossmix.py')
    labelled, unlabelled = sources(cfg)
    assert labelled.indices == 50
    assert 'indices' not in unlabelled
    assert labelled.ann_file == unlabelled.ann_file == 'ImageSets/Main/train.txt'
    stock = load('demo/ssd_digits.py').train_dataloader.dataset
    assert labelled.pipeline[:-1] == stock.pipeline[:-1]
    loads = [step.type for step in unlabelled.pipeline[:2]]
    assert loads == ['CheckedLoadImageFromFile', 'LoadEmptyAnnotations']
    for view in views(unlabelled):
        assert view[-1].meta_keys[-1] == 'homography_matrix'
        assert 'RandomFlip' not in {step.type for step in view}


@every_base
def test_two_views_of_an_image_fit_each_other(base, data):
    """The strong view's pixels, brought to the weak view, are those of the weak one."""
    cfg = on_tiny_data(f'{base}_mean-teacher.py', data)
    _, strong = views(sources(cfg)[1])
    strong[0].prob = 1.0
    for kind in ('PhotoMetricDistortion', 'RandomErasing'):
        strong.remove(next(step for step in strong if step.type == kind))
    # A smooth picture, whose colour tells the place.
    slope = np.linspace(0, 200, 180, dtype=np.float32)
    picture = np.stack(np.meshgrid(slope, slope[:160]), axis=-1)
    picture = np.concatenate([picture, picture[..., :1]], axis=-1).astype(np.uint8)
    branches = TRANSFORMS.build(sources(cfg)[1].pipeline[-1])
    np.random.seed(0)
    results = branches(
        dict(
            img=picture,
            img_shape=picture.shape[:2],
            ori_shape=picture.shape[:2],
            img_id='0',
            img_path='0.png',
            gt_bboxes=np.zeros((0, 4), np.float32),
            gt_bboxes_labels=np.zeros(0, np.int64),
            gt_ignore_flags=np.zeros(0, bool),
        )
    )
    weak, strong = (
        (results['inputs'][view], results['data_samples'][view].homography_matrix)
        for view in ('unsup_teacher', 'unsup_student')
    )
    crop = strong[1] @ np.linalg.inv(weak[1])
    assert crop[0, 0] > 1
    for point in ([80.0, 80.0, 1.0], [60.0, 100.0, 1.0]):
        x, y = (np.linalg.inv(crop) @ point)[:2].round().astype(int)
        seen = strong[0][:, int(point[1]), int(point[0])].float()
        np.testing.assert_allclose(seen, weak[0][:, y, x].float(), atol=3)


@every_base
def test_a_batch_and_a_step(base, data):
    """On four images; every method that mixes has its terms."""
    cfg = on_tiny_data(f'{base}_mean-teacher-lossmix.py', data)
    cfg.train_dataloader.batch_size = cfg.train_dataloader.sampler.batch_size = 4
    cfg.train_dataloader.sampler.source_ratio = [2, 2]
    batch = batch_of(cfg)
    present = {
        branch: [sample is not None for sample in samples]
        for branch, samples in batch['data_samples'].items()
    }
    assert present == dict(
        sup=[True, True, False, False],
        unsup_teacher=[False, False, True, True],
        unsup_student=[False, False, True, True],
    )
    cfg.model.semi_train_cfg.update(cls_pseudo_thr=0.1)
    cfg.model.semi_train_cfg.pop('ignore_pseudo_thr', None)
    cfg.model.detector.test_cfg.update(score_thr=0.1, conf_thr=0.0)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.teacher.load_state_dict(model.student.state_dict())
    model.train().set_progress(TeacherProgress(500, burn_in=200))
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert {name.split('_')[0] for name in losses} == {
        'sup',
        'unsup',
        'cross',
        'pseudo',
    }
    assert losses['pseudo_count'] > 0
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)


def test_a_batch_of_labelled_images_alone(data):
    cfg = on_tiny_data('demo/ssd_digits-semi_supervised.py', data)
    taught = on_tiny_data('demo/ssd_digits-semi_mean-teacher.py', data)
    batch = batch_of(cfg)
    assert len(batch['inputs']) == 8
    # the same draws, and the same random numbers in loading, as beside a teacher
    other = batch_of(taught)['inputs']['sup'][:8]
    for one, two in zip(batch['inputs'], other):
        assert torch.equal(one, two)
