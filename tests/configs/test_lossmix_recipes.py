"""The recipes of the LossMix paper, Tables 1 to 3, number by number."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS, METRICS, MODELS, TRANSFORMS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mmmix.evaluation import VOCStyleMetric
from mmmix.models.supervisions import LossMix, Union, build_override

from .config_cases import load, pipelines, plain


class Recipe(NamedTuple):
    """What sec. 4.1 and suppl. B say of a data set, and Detectron2's steps."""

    iterations: int
    steps: list[int]
    sides: list[int]
    classes: int
    selected_by: str


VOC = Recipe(
    iterations=18_000,
    steps=[12_000, 16_000],
    sides=[480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800],
    classes=20,
    selected_by='pascal_voc/mAP',  # Table 1: the best AP50
)
COCO = Recipe(
    iterations=270_000,
    steps=[210_000, 250_000],
    sides=[640, 672, 704, 736, 768, 800],
    classes=80,
    selected_by='coco/AP',  # Table 2: the best AP
)

# method -> mixer and supervision (Tables 1 and 2, suppl. B), None for the baseline.
# BoxMix is no row of the tables.
METHODS = {
    '': None,
    '_noise': (dict(low=0.8, high=1.0), 'dominant', 'Union()'),
    '_union': (dict(alpha=1.0), 'all', 'Union()'),
    '_lossmix': (dict(alpha=1.0), 'all', 'LossMix(cls=True, reg=True)'),
}
TABLES_1_AND_2 = [
    (f'faster-rcnn_r{depth}_{name}{method}.py', depth, recipe)
    for depth in (50, 101)
    for name, recipe in (('voc', VOC), ('coco', COCO))
    for method in (*METHODS, '_boxmix')
]
every_row = pytest.mark.parametrize(('leaf', 'depth', 'recipe'), TABLES_1_AND_2)


class Row(NamedTuple):
    """A row of Table 3: the four terms are rpn_cls, rpn_reg, roi_cls, roi_reg."""

    terms: tuple[bool, bool, bool, bool]
    alpha: float = 1.0
    fraction: float | None = None
    mixed_iterations: int = 18_000


ALL = (True, True, True, True)
STUDY = 'studies/faster-rcnn_r50_voc_lossmix-'
TABLE_3 = {
    'faster-rcnn_r50_voc_union.py': Row((False, False, False, False)),
    f'{STUDY}roi-only.py': Row((False, False, True, True)),
    f'{STUDY}loc-only.py': Row((False, True, False, True)),
    f'{STUDY}cls-only.py': Row((True, False, True, False)),
    f'{STUDY}alpha0.2.py': Row(ALL, alpha=0.2),
    f'{STUDY}alpha5.py': Row(ALL, alpha=5.0),
    f'{STUDY}alpha20.py': Row(ALL, alpha=20.0),
    f'{STUDY}reg.py': Row(ALL, fraction=0.5),
    f'{STUDY}partial.py': Row(ALL, mixed_iterations=16_000),
    'faster-rcnn_r50_voc_lossmix.py': Row(ALL),
}


def built(cfg: Any, registry: Any = MODELS) -> Any:
    """An object built from a copy of its config."""
    return registry.build(copy.deepcopy(dict(cfg)))


def mixer_of(leaf: str) -> Any:
    """The built mixer of a leaf."""
    (cfg,) = load(leaf).model.data_preprocessor.batch_augments
    return built(cfg)


def supervisions_of(leaf: str) -> list[Any]:
    """What supervises the RPN and the RoI head: their own, or the mixer's."""
    model = load(leaf).model
    mixed = model.data_preprocessor.get('batch_augments')
    stamp = mixer_of(leaf).supervision if mixed else None
    return [
        build_override(head.get('supervision')) or stamp
        for head in (model.rpn_head, model.roi_head)
    ]


def mixed_terms(supervision: Any) -> tuple[bool, bool]:
    """Whether a supervision mixes classification and box regression."""
    if isinstance(supervision, Union):
        return False, False
    assert isinstance(supervision, LossMix)
    return supervision.cls, supervision.reg


@every_row
def test_optimizer_and_batch(leaf, depth, recipe):
    cfg = load(leaf)
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    optimizer = build_optim_wrapper(net, copy.deepcopy(cfg.optim_wrapper)).optimizer
    assert type(optimizer) is torch.optim.SGD
    assert {group['lr'] for group in optimizer.param_groups} == {0.08}
    assert {group['momentum'] for group in optimizer.param_groups} == {0.9}
    decay = {
        id(parameter): group['weight_decay']
        for group in optimizer.param_groups
        for parameter in group['params']
    }
    # Detectron2 decays weights and biases, but no norm layers.
    assert [decay[id(p)] for p in net.parameters()] == [1e-4, 1e-4, 0.0, 0.0]
    assert cfg.auto_scale_lr.base_batch_size == 64
    assert cfg.train_dataloader.batch_size == 8


@every_row
def test_schedule(leaf, depth, recipe):
    cfg = load(leaf)
    assert cfg.train_cfg.type == 'IterBasedTrainLoop'
    assert cfg.train_cfg.max_iters == recipe.iterations
    warm_up, steps = cfg.param_scheduler
    assert warm_up == dict(
        type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100
    )
    assert steps == dict(
        type='MultiStepLR', milestones=recipe.steps, gamma=0.1, by_epoch=False
    )
    assert cfg.default_hooks.checkpoint.save_best == recipe.selected_by


def test_rates_of_a_whole_training():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.08)
    schedulers = [
        PARAM_SCHEDULERS.build(dict(cfg), default_args={'optimizer': optimizer})
        for cfg in load('faster-rcnn_r50_voc_lossmix.py').param_scheduler
    ]
    rates = []
    for _ in range(VOC.iterations):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(0.08 * 0.001)
    assert np.all(np.diff(rates[:100]) > 0)
    assert rates[100] == rates[11_999] == pytest.approx(0.08)
    assert rates[12_000] == rates[15_999] == pytest.approx(0.008)
    assert rates[16_000] == rates[-1] == pytest.approx(0.0008)


@every_row
def test_training_sizes(leaf, depth, recipe):
    for pipeline in pipelines(load(leaf).train_dataloader.dataset):
        assert [step.type for step in pipeline] == [
            'CheckedLoadImageFromFile',
            'LoadAnnotations',
            'RandomChoiceResize',
            'RandomFlip',
            'PackDetInputs',
        ]
        assert built(pipeline[3], TRANSFORMS).prob == 0.5
        resize = built(pipeline[2], TRANSFORMS)
        assert sorted(resize.scales) == [(1333, side) for side in recipe.sides]
        sides = {
            min(resize(dict(img=np.zeros((30, 40, 3), np.uint8)))['img_shape'])
            for _ in range(200)
        }
        assert sides <= set(recipe.sides)
        assert len(sides) > len(recipe.sides) // 2
        wide = resize(dict(img=np.zeros((10, 80, 3), np.uint8)))
        assert max(wide['img_shape']) == 1333


@every_row
def test_test_size(leaf, depth, recipe):
    for name in ('val_dataloader', 'test_dataloader'):
        (pipeline,) = pipelines(load(leaf)[name].dataset)
        resize = built(pipeline[1], TRANSFORMS)
        for shape, expected in (((300, 400), 800), ((100, 800), 167)):
            image = dict(img=np.zeros((*shape, 3), np.uint8))
            assert min(resize(image)['img_shape']) == expected


@pytest.mark.parametrize('depth', [50, 101])
@pytest.mark.parametrize('dataset', ['voc', 'coco'])
@pytest.mark.parametrize('method', list(METHODS))
def test_methods_of_tables_1_and_2(depth, dataset, method):
    leaf = f'faster-rcnn_r{depth}_{dataset}{method}.py'
    if METHODS[method] is None:
        assert 'batch_augments' not in load(leaf).model.data_preprocessor
        assert supervisions_of(leaf) == [None, None]
        return
    ratio, keep, supervision = METHODS[method]
    settings = mixer_of(leaf).settings
    assert {name: getattr(settings.ratio, name) for name in ratio} == ratio
    assert (settings.align, settings.keep, settings.prob) == ('center', keep, 1.0)
    assert [repr(s) for s in supervisions_of(leaf)] == [supervision, supervision]


@pytest.mark.parametrize('leaf', list(TABLE_3))
def test_table_3(leaf):
    row = TABLE_3[leaf]
    mixer = mixer_of(leaf)
    assert mixer.settings.ratio.alpha == row.alpha
    assert (mixer.settings.align, mixer.settings.keep) == ('center', 'all')
    assert (mixer.fraction, mixer.settings.prob) == (row.fraction, 1.0)
    rpn, roi = supervisions_of(leaf)
    assert (*mixed_terms(rpn), *mixed_terms(roi)) == row.terms
    hook = built(load(leaf).custom_hooks[2], HOOKS)
    on = [t for t in range(18_000) if hook.enabled_at(t, 18_000)]
    assert on == list(range(row.mixed_iterations))


@pytest.mark.parametrize('leaf', [leaf for leaf in TABLE_3 if leaf.startswith(STUDY)])
def test_table_3_differs_from_table_1_by_its_row_alone(leaf):
    study = plain(leaf, without_mixing=True)
    own = study['model']['rpn_head'].pop('supervision', None)
    assert own == (dict(type='Union') if leaf.endswith('-roi-only.py') else None)
    base = plain('faster-rcnn_r50_voc.py')
    # "Best AP checkpoints are reported", Detectron2's AP.
    assert study['default_hooks']['checkpoint'].pop('save_best') == 'pascal_voc/AP'
    assert base['default_hooks']['checkpoint'].pop('save_best') == 'pascal_voc/mAP'
    hooks, expected = study.pop('custom_hooks'), base.pop('custom_hooks')
    assert [hook['type'] for hook in hooks] == [hook['type'] for hook in expected]
    assert study == base


ON_VOC = [
    leaf for leaf in (*TABLE_3, *(row[0] for row in TABLES_1_AND_2)) if '_voc' in leaf
]


@pytest.mark.parametrize('leaf', sorted(set(ON_VOC)))
def test_voc_is_scored_as_detectron2_scores_it(leaf):
    """Tables 1 and 3: AP over IoU .5 to .95 and AP75, of 11 recalls; four digits."""
    (voc, coco) = (built(metric, METRICS) for metric in load(leaf).test_evaluator)
    assert isinstance(voc, VOCStyleMetric)
    assert (voc.over_ious, voc.eval_mode) == (True, '11points')
    assert type(coco).__name__ == 'CocoStyleMetric'
    voc.dataset_meta = dict(classes=('a',))
    truth = dict(bboxes=np.array([[0.0, 0, 99, 99]] * 3), labels=np.zeros(3, int))
    truth.update(bboxes_ignore=np.zeros((0, 4)), labels_ignore=np.zeros(0, int))
    truth['bboxes'] += 200 * np.arange(3)[:, None]
    # IoUs of 1, 0.9 and 0.72: found at 10, 9 and 5 of the ten thresholds.
    found = truth['bboxes'].copy()
    found[1, 2] -= 10
    found[2, 2] -= 28
    detections = np.column_stack([found, [0.9, 0.8, 0.7]])
    got = voc.compute_metrics([(truth, [detections])])
    # Recalls of 1/3, 2/3 and 1 reach 4, 7 and 11 of the 11 recalls.
    assert got['AP50'] == got['AP50_a'] == 1
    assert got['AP75'] == round(7 / 11, 4)
    assert got['AP'] == round((5 * 11 + 4 * 7 + 1 * 4) / 110, 4)
