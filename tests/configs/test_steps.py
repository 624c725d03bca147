"""Every SSD leaf: what is built from it, and one training step on tiny data."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.training_checks import check_mixing
from mmmix.structures import is_mixed

from .config_cases import (
    LEAVES,
    LEVELS,
    check_mixer,
    load,
    method_of,
    mixers_of,
    of_the_paper,
    overrides_of,
    pair_all,
    split,
)
from .tiny_data import moved, write_tiny_data

# Leaves whose model, mixer and supervision together are the same as another's.
TWINS = {
    'ssd300-r50_voc07.py': 'ssd300-r50_voc.py',
    'studies/ssd300-r50_voc07_batch16.py': 'ssd300-r50_voc.py',
    'ssd300-r50_voc07_boxmix.py': 'ssd300-r50_voc_boxmix.py',
    'ssd300-r50_voc_cutmix-pretrained.py': 'ssd300-r50_voc.py',
    'ssd300-r50_voc_imagenet-pretrained.py': 'ssd300-r50_voc.py',
}
# Those mixed on one level have a detector of their own, and test_level_configs.py.
SSD = [
    leaf for leaf in LEAVES if Path(leaf).name.startswith('ssd') and leaf not in LEVELS
]
# Those that align features have a detector of their own, and cannot share one.
ALIGNED = [leaf for leaf in SSD if leaf.endswith('_alignmix.py')]
DISTINCT = [leaf for leaf in SSD if leaf not in TWINS and leaf not in ALIGNED]
# Methods on COCO differ from those on VOC by the number of classes: one method
# is stepped on both, and the others wait for the whole suite.
STEPPED = [
    pytest.param(leaf, marks=pytest.mark.slow)
    if split(leaf)[0].endswith('_coco') and split(leaf)[1] != 'boxmix'
    else leaf
    for leaf in DISTINCT
]


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    write_tiny_data(root)
    return root


@pytest.fixture(scope='module')
def models() -> dict[str, Any]:
    """Built models by baseline; steps share backbone and neck."""
    return {}


def ready(leaf: str, data: Path) -> Config:
    """A leaf without pretrained weights, on tiny data."""
    cfg = Config(moved(load(leaf).to_dict(), data))
    drop_pretrained(cfg)
    return cfg


def batch_of(cfg: Config, size: int = 2) -> dict[str, Any]:
    """A batch as the leaf's data loader collates it."""
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    return pseudo_collate([dataset[k] for k in range(size)])


def assemble(cfg: Config, shared: Any) -> Any:
    """The leaf's own preprocessor and head on a shared backbone and neck."""
    head = dict(
        cfg.model.bbox_head,
        train_cfg=cfg.model.train_cfg,
        test_cfg=cfg.model.test_cfg,
    )
    shared.data_preprocessor = MODELS.build(cfg.model.data_preprocessor)
    shared.bbox_head = MODELS.build(head)
    shared.bbox_head.init_weights()
    return shared


def check_built(leaf: str, model: Any) -> None:
    """The mixer that a leaf's name promises is there, and read by the head."""
    mixers = mixers_of(model)
    assert overrides_of(model) == []
    check_mixing(SimpleNamespace(cfg=load(leaf), model=model), training=False)
    expected = method_of(leaf)
    if expected is None:
        assert not mixers
        return
    (mixer,) = mixers.values()
    assert mixer in list(model.data_preprocessor.batch_augments)
    check_mixer(mixer, expected)
    assert (mixer.settings.pad, mixer.settings.prob) == ('mean', 1.0)
    assert mixer.settings.clips == (expected.supervision == 'Visible')
    assert mixer.fraction is None
    own = of_the_paper(leaf)
    assert mixer.lam_per == own.get('lam_per', 'image')
    assert mixer.pairing == own.get('pairing', 'shuffle')


def check_step(leaf: str, cfg: Config, model: Any) -> None:
    """One training step: mixed as promised, finite losses, a changed head."""
    batch = batch_of(cfg)
    pair_all(model)
    model.train()
    mixed = model.data_preprocessor(copy.deepcopy(batch), training=True)
    method = method_of(leaf)
    fields = [is_mixed(sample.metainfo) for sample in mixed['data_samples']]
    assert fields == [method is not None and method.keep == 'all'] * 2
    alone = model.data_preprocessor(copy.deepcopy(batch), training=False)
    same = torch.equal(mixed['inputs'], alone['inputs'])
    assert same == (method is None or method.mixer == 'PairBatch')

    before = [p.detach().clone() for p in model.bbox_head.parameters()]
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    losses = model.train_step(batch, wrapper)
    assert set(losses) == {'loss', 'loss_cls', 'loss_bbox'}
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses['loss_cls'] > 0
    after = list(model.bbox_head.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after))


def test_twins_are_twins():
    for leaf, other in TWINS.items():
        a, b = (load(name).model.to_dict() for name in (leaf, other))
        for model in (a, b):
            model['backbone'].pop('init_cfg')
        assert a == b


@pytest.mark.parametrize('leaf', STEPPED)
def test_step_with_a_shared_frozen_backbone(leaf, data, models):
    cfg = ready(leaf, data)
    baseline = split(leaf)[0]
    if baseline not in models:
        models.clear()  # one at a time is enough memory
        models[baseline] = MODELS.build(cfg.model)
        models[baseline].neck.init_weights()
        models[baseline].backbone.requires_grad_(requires_grad=False)
    model = assemble(cfg, models[baseline])
    check_built(leaf, model)
    check_step(leaf, cfg, model)


def test_step_with_aligned_features(data):
    leaf = 'demo/ssd_digits_alignmix.py'
    cfg = ready(leaf, data)
    model = MODELS.build(cfg.model)
    model.init_weights()
    check_built(leaf, model)
    check_step(leaf, cfg, model)


@pytest.mark.slow
@pytest.mark.parametrize('leaf', SSD)
def test_full_step(leaf, data):
    cfg = ready(leaf, data)
    model = MODELS.build(cfg.model)
    model.init_weights()
    check_built(leaf, model)
    check_step(leaf, cfg, model)


@pytest.mark.parametrize(
    ('leaf', 'cells'),
    [
        ('ssd300_voc.py', (38, 19, 10, 5, 3, 1)),
        ('ssd300-r50_voc.py', (38, 19, 10, 5, 3, 1)),
        ('demo/ssd_digits.py', (20, 10, 5)),
    ],
)
def test_levels_and_anchors(leaf, cells):
    model = MODELS.build(copy.deepcopy(load(leaf).model)).eval()
    size = 160 if 'digits' in leaf else 300
    with torch.no_grad():
        features = model.extract_feat(torch.zeros(1, 3, size, size))
    shapes = [tuple(feature.shape[-2:]) for feature in features]
    assert shapes == [(side, side) for side in cells]
    anchors = model.bbox_head.prior_generator.grid_priors(shapes, device='cpu')
    assert sum(len(level) for level in anchors) == (3150 if size == 160 else 8732)


def run_briefly(cfg: Config, work_dir: Path) -> Runner:
    """Train for one epoch, validate, test."""
    cfg.work_dir = str(work_dir)
    cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval = 1, 1
    cfg.train_dataloader.batch_size = 2
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_a_run_reports_and_selects_by_the_metrics_that_the_configs_name(data, tmp_path):
    cfg = ready('demo/ssd_digits_boxmix.py', data)
    runner = run_briefly(cfg, tmp_path)
    scores = runner.test()
    assert list(scores)[0] == 'pascal_voc/mAP'
    columns = [f'coco/AR_{name}' for name in (1, 10, 100, 'S', 'M', 'L')]
    assert set(columns) < set(scores)
    assert list(tmp_path.glob('best_pascal_voc_mAP_epoch_1.pth'))
    assert list(tmp_path.glob('*/vis_data/vis_image/mix_preview_0.png'))


def test_coco_metric_of_the_coco_configs_finds_the_annotations(data):
    cfg = ready('ssd300-r50_coco.py', data)
    assert Path(cfg.val_evaluator.ann_file).exists()
