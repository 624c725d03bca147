"""The recipes with a teacher, number by number, against their sources."""

from __future__ import annotations

import inspect

import pytest
from mmdet.engine.hooks import MeanTeacherHook

from .config_cases import load, mmdet_config, pipelines, plain
from .semi_cases import BASES, COCO, VOC, sources, teacher_hook, views

SOFT_TEACHER = (
    'soft_teacher/soft-teacher_faster-rcnn_r50-caffe_fpn_180k_semi-0.1-coco.py'
)


@pytest.mark.parametrize('base', BASES)
def test_weak_and_strong_views_are_the_same_but_for_their_first_step(base):
    """Written once, and SoftTeacher's."""
    stock = mmdet_config(SOFT_TEACHER)['train_dataloader']['dataset']['datasets']
    weak, strong = views(stock[1])
    # There is no box yet that could be filtered.
    strong = [step for step in strong if step['type'] != 'FilterAnnotations']
    ours = sources(load(f'{base}_mean-teacher.py'))[1].to_dict()
    our_weak, our_strong = views(ours)
    assert our_weak[1:] == weak[1:]
    assert our_strong[1:] == strong[1:]
    assert our_weak[0] == our_strong[0]
    size = {
        'coco': weak[0],
        'faster-rcnn': dict(
            type='RandomChoiceResize',
            scales=[(1333, side) for side in range(480, 801, 32)],
            keep_ratio=True,
        ),
        'ssd300': dict(type='Resize', scale=(300, 300), keep_ratio=False),
        'yolov3': dict(
            type='RandomResize', scale=[(320, 320), (608, 608)], keep_ratio=True
        ),
    }
    assert our_weak[0] == next(size[key] for key in size if key in base)


@pytest.mark.parametrize('base', COCO)
def test_labelled_images_of_coco_are_augmented_as_in_soft_teacher(base):
    stock = mmdet_config(SOFT_TEACHER)['train_dataloader']['dataset']['datasets'][0]
    ours = sources(load(f'{base}_mean-teacher.py'))[0].to_dict()
    assert ours['pipeline'][1:] == stock['pipeline'][1:]
    assert ours['filter_cfg'] == stock['filter_cfg']


@pytest.mark.parametrize(
    ('base', 'supervised'),
    [(base, f'{base[5:].replace("07-voc12u", "")}.py') for base in VOC[1:]],
)
def test_labelled_images_of_voc_are_augmented_as_without_a_teacher(base, supervised):
    ours = sources(load(f'{base}_mean-teacher.py'))[0].to_dict()
    expected = pipelines(plain(supervised)['train_dataloader']['dataset'])[0]
    assert ours['pipeline'][:-1] == expected[:-1]


@pytest.mark.parametrize('base', COCO)
def test_the_recipe_of_soft_teacher(base):
    cfg, stock = load(f'{base}_mean-teacher.py').to_dict(), mmdet_config(SOFT_TEACHER)
    ours, theirs = cfg['model'], stock['model']
    for name in ('backbone', 'data_preprocessor', 'neck', 'train_cfg', 'test_cfg'):
        assert ours['detector'][name] == theirs['detector'][name]
    assert ours['data_preprocessor'] == theirs['data_preprocessor']
    assert ours['semi_test_cfg'] == theirs['semi_test_cfg']
    names = ('sup_weight', 'unsup_weight', 'cls_pseudo_thr', 'min_pseudo_bbox_wh')
    for name in ('freeze_teacher', *names):
        assert ours['semi_train_cfg'][name] == theirs['semi_train_cfg'][name]
    assert cfg['optim_wrapper'] == stock['optim_wrapper']
    assert cfg['train_cfg'] == stock['train_cfg']
    warm_up, steps = stock['param_scheduler']
    assert cfg['param_scheduler'][0] == warm_up
    assert cfg['param_scheduler'][1]['milestones'] == steps['milestones']
    default = inspect.signature(MeanTeacherHook).parameters['momentum'].default
    hook = teacher_hook(f'{base}_mean-teacher.py')
    assert (hook.momentum, hook.burn_in) == (default, 0)
    # 8 GPUs x 5 images there
    ratio = stock['train_dataloader']['sampler']['source_ratio']
    assert cfg['train_dataloader']['sampler']['source_ratio'] == [2 * n for n in ratio]
    assert cfg['auto_scale_lr']['base_batch_size'] == 8 * sum(ratio)


def test_the_recipe_of_unbiased_teacher_on_voc():
    """The numbers of its voc07_voc12.yaml."""
    leaf = 'semi/faster-rcnn_r50_voc07-voc12u_mean-teacher.py'
    cfg = load(leaf)
    assert cfg.train_cfg.max_iters == 180_000
    assert cfg.optim_wrapper.optimizer.lr == 0.01
    assert cfg.param_scheduler[1].milestones == [179_990, 179_995]
    assert cfg.auto_scale_lr.base_batch_size == 16 + 16
    hook = teacher_hook(leaf)
    assert (hook.burn_in, 1 - hook.momentum) == (30_000, 0.999)
    settings = cfg.model.semi_train_cfg
    assert (settings.unsup_weight, settings.cls_pseudo_thr) == (2.0, 0.7)
    (resize,) = (
        step for step in cfg.test_dataloader.dataset.pipeline if step.type == 'Resize'
    )
    assert resize.scale == (1333, 600)
    assert cfg.model.detector.backbone.frozen_stages == 1
    assert cfg.model.detector.backbone.norm_eval is True


@pytest.mark.parametrize(
    ('base', 'supervised'),
    [
        ('semi/ssd300_voc07-voc12u', 'ssd300_voc.py'),
        ('semi/yolov3_d53_voc07-voc12u', 'yolov3_d53_voc.py'),
    ],
)
def test_one_stage_detectors_have_model_and_schedule_of_the_supervised_leaf(
    base, supervised
):
    cfg, plain_cfg = load(f'{base}_mean-teacher.py').to_dict(), plain(supervised)
    assert cfg['model']['detector'] == plain_cfg['model']
    preprocessor = dict(
        type='MultiBranchDataPreprocessor',
        data_preprocessor=plain_cfg['model']['data_preprocessor'],
    )
    assert cfg['model']['data_preprocessor'] == preprocessor
    same = ('optim_wrapper', 'param_scheduler', 'train_cfg', 'test_dataloader')
    for name in (*same, 'val_dataloader', 'val_evaluator', 'env_cfg'):
        assert cfg[name] == plain_cfg[name]


def test_ssd300_starts_as_in_crossrectify():
    leaf = 'semi/ssd300_voc07-voc12u_mean-teacher.py'
    settings, hook = load(leaf).model.semi_train_cfg, teacher_hook(leaf)
    assert settings.cls_pseudo_thr == 0.5
    assert hook.burn_in == 12_000
    assert hook.burn_in + settings.ramp_up == 32_000
