"""The numbers of the LossMix paper's domain adaptation, and of Adaptive Teacher."""

from __future__ import annotations

import re
from typing import Any

import pytest
from mmdet.registry import HOOKS
from mmengine import Config

from .config_cases import CONFIGS, load, mmdet_config
from .domain_cases import (
    DOMAIN_LEAVES,
    DOMAIN_MATRIX,
    DOMAIN_METHODS,
    PAPER,
    R101,
    SMALL_BATCH,
    domains,
    single_sets,
)

PAPER_LEAVES = [leaf for leaf in DOMAIN_LEAVES if leaf.startswith(R101)]
MIXED_LEAVES = [leaf for leaf in PAPER_LEAVES if 'lossmix' in leaf or 'union' in leaf]

# Of the LossMix paper: sec. 3.6, sec. 5.1 and suppl. D.
NUMBERS = {
    'shorter side': 600,
    'threshold of pseudo-labels': 0.8,
    'weight smoothing of the moving average': 0.9996,
    'iterations': 60_000,
    'iterations of warm-up': 20_000,
    'depth of the backbone': 101,
}
BATCHES, RATES = {8, 2}, {0.002, 0.005, 0.01}
TABLES = {
    f'{R101}_voc-clipart': {
        'source-only': 28.8,
        'adaptive-teacher': 46.7,
        'noise': 44.9,
        'union': 50.0,
        'lossmix': 51.1,
    },
    f'{R101}_voc-watercolor': {
        'source-only': 46.9,
        'adaptive-teacher': 57.7,
        'lossmix': 59.3,
    },
}


def teacher_hook(leaf: str) -> Any:
    """The built ``MixTeacherHook``."""
    (cfg,) = (h for h in load(leaf).custom_hooks if h.type == 'MixTeacherHook')
    return HOOKS.build(dict(cfg))


def step(pipeline: list, kind: str) -> Any:
    """The one step of a type."""
    (found,) = (part for part in pipeline if part.type == kind)
    return found


@pytest.mark.parametrize('leaf', PAPER_LEAVES)
def test_numbers(leaf):
    cfg, hook = load(leaf), teacher_hook(leaf)
    parts = [part for domain in domains(cfg) for part in single_sets(domain)]
    resizes = [step(part.pipeline, 'Resize') for part in parts]
    resizes.append(step(cfg.test_dataloader.dataset.pipeline, 'Resize'))
    assert {tuple(resize.scale) for resize in resizes} == {(1333, 600)}
    assert all(resize.keep_ratio for resize in resizes)
    found = {
        'shorter side': min(resizes[0].scale),
        'threshold of pseudo-labels': cfg.model.semi_train_cfg.cls_pseudo_thr,
        'weight smoothing of the moving average': 1 - hook.momentum,
        'iterations': cfg.train_cfg.max_iters,
        'iterations of warm-up': hook.burn_in,
        'depth of the backbone': cfg.model.detector.backbone.depth,
    }
    assert found == NUMBERS
    assert cfg.model.semi_train_cfg.regress_pseudo is False


@pytest.mark.parametrize('leaf', PAPER_LEAVES)
def test_batch_and_rate_are_of_the_papers_search(leaf):
    cfg = load(leaf)
    gpus = cfg.auto_scale_lr.base_batch_size // cfg.train_dataloader.batch_size
    ratio = cfg.train_dataloader.sampler.source_ratio
    labelled = gpus * (ratio[0] if len(ratio) == 2 else ratio[0] // 2)
    assert labelled in BATCHES
    assert (labelled == 2) == (leaf in SMALL_BATCH)
    optimizer = cfg.optim_wrapper.optimizer
    assert optimizer.lr in RATES
    # Detectron2's
    assert (optimizer.type, optimizer.momentum) == ('SGD', 0.9)
    assert optimizer.weight_decay == 1e-4
    assert cfg.param_scheduler == [
        dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000)
    ]


@pytest.mark.parametrize('leaf', MIXED_LEAVES)
def test_balanced_mixing_and_noise_below_a_tenth(leaf):
    mixers = load(leaf).model.mixers
    for term in ('mss', 'mtt', 'mst'):
        assert mixers[term].ratio == dict(type='Beta', alpha=1.0)
    assert 1 - mixers.nst.ratio.low <= 0.1 + 1e-12
    assert mixers.nst.ratio.high == 1.0


def test_readme_has_the_figures_of_tables_4_and_5():
    rows = (CONFIGS / 'domain_adaptation/README.md').read_text().splitlines()
    for base, figures in TABLES.items():
        for method in PAPER:
            (row,) = (row for row in rows if f'{base[18:]}_{method}](' in row)
            found = re.findall(r'mAP ([\d.]+)', row)
            assert found == ([str(figures[method])] if method in figures else [])


def test_the_detector_is_detectron2s_c4_with_two_layers_on_rois_of_7():
    ours = load(f'{R101}_voc-clipart_lossmix.py').model.detector.to_dict()
    c4 = mmdet_config('_base_/models/faster-rcnn_r50-caffe-c4.py')['model']
    for name in ('data_preprocessor', 'train_cfg', 'test_cfg'):
        assert ours[name] == c4[name], name
    backbone, rpn = dict(c4['backbone'], depth=101), dict(c4['rpn_head'])
    backbone['init_cfg'] = dict(
        type='Pretrained', checkpoint='open-mmlab://detectron2/resnet101_caffe'
    )
    assert ours['backbone'] == backbone
    assert ours['rpn_head'] == dict(rpn, type='MixRPNHead')
    roi = ours['roi_head']
    assert 'shared_head' not in roi
    pooler, box = roi['bbox_roi_extractor'], roi['bbox_head']
    assert (pooler['roi_layer']['output_size'], pooler['featmap_strides']) == (7, [16])
    assert pooler['out_channels'] == box['in_channels'] == 1024
    assert (box['type'], box['fc_out_channels']) == ('MixShared2FCBBoxHead', 1024)
    for name in ('bbox_coder', 'loss_cls', 'loss_bbox', 'reg_class_agnostic'):
        assert box[name] == c4['roi_head']['bbox_head'][name], name


# Jitter, grayscale, blur and three patches: probabilities and ranges of the code.
STRONG = [
    (0.8, dict(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)),
    (0.2, {}),
    (0.5, dict(sigma=(0.1, 2.0))),
    (0.7, dict(area=(0.05, 0.2), aspect=(0.3, 3.3))),
    (0.5, dict(area=(0.02, 0.2), aspect=(0.1, 6.0))),
    (0.3, dict(area=(0.02, 0.2), aspect=(0.05, 8.0))),
]


def described(steps: list) -> list[tuple[float, dict]]:
    """Probability and settings of each step."""
    found = []
    for part in steps:
        inner = part.transforms[0].to_dict() if 'transforms' in part else {}
        found.append((part.prob, {k: v for k, v in inner.items() if k != 'type'}))
    return found


@pytest.mark.parametrize('base', DOMAIN_MATRIX)
def test_strong_views_are_those_of_adaptive_teacher(base):
    cfg = load(f'{base}_lossmix.py')
    source, target = domains(cfg)
    views = target.pipeline[-1]
    # no patches on the digits
    expected = STRONG[:3] if 'digits' in base else STRONG
    for part in single_sets(source):
        assert described(part.pipeline[-1].sup[:-1]) == expected
    assert described(views.unsup_student[:-1]) == expected
    assert views.unsup_teacher == views.unsup_student[-1]
    assert 'homography_matrix' in views.unsup_teacher.meta_keys
    assert target.pipeline[1].type == 'LoadEmptyAnnotations'
    for part in (*single_sets(source), target):
        assert part.pipeline[0].type == 'CheckedLoadImageFromFile'


@pytest.mark.parametrize('base', DOMAIN_MATRIX)
def test_the_discriminator_sees_a_map_of_stride_16(base):
    """That of Adaptive Teacher is on res4."""
    model = load(f'{base}_lossmix.py').model
    index = 0 if 'r101' in base else 1
    assert model.discriminator.feature == f'backbone.{index}'
    weak_view = (
        'sup_weak'
        in single_sets(domains(load(f'{base}_lossmix.py'))[0])[0].pipeline[-1]
    )
    assert weak_view == ('digits' not in base)


def test_ssd300_has_the_model_of_the_supervised_leaf_and_its_augmentation():
    cfg = load('domain_adaptation/ssd300_voc-clipart_source-only.py')
    supervised = load('ssd300_voc.py')
    assert cfg.model.detector == supervised.model
    ours = single_sets(domains(cfg)[0])[0].pipeline[:-1]
    theirs = supervised.train_dataloader.dataset.datasets[0].pipeline[:-2]
    assert ours == theirs
    assert cfg.test_dataloader.dataset.pipeline == (
        supervised.test_dataloader.dataset.pipeline
    )


@pytest.mark.parametrize('detector', ['ssd', 'faster-rcnn'])
def test_the_digits_have_model_and_crops_of_the_plain_demo(detector):
    cfg = load(f'demo/{detector}_digits-domain_source-only.py')
    plain = load(f'demo/{detector}_digits.py')
    assert cfg.model.detector == plain.model
    (source,) = domains(cfg)
    assert source.pipeline[:4] == plain.train_dataloader.dataset.pipeline[:4]


@pytest.mark.parametrize('detector', ['ssd', 'faster-rcnn'])
@pytest.mark.parametrize('method', DOMAIN_METHODS)
def test_the_digits_start_from_what_the_plain_demo_ends_with(detector, method):
    epochs = load(f'demo/{detector}_digits.py').train_cfg.max_epochs
    cfg = Config.fromfile(CONFIGS / f'demo/{detector}_digits-domain_{method}.py')
    assert cfg.load_from == f'work_dirs/{detector}_digits/epoch_{epochs}.pth'
