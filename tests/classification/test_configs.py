"""Every leaf of configs/classification: its text, its recipe, one step of it."""

from __future__ import annotations

import ast
import copy
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmengine.optim import build_optim_wrapper
from mmpretrain.registry import DATASETS, METRICS, MODELS

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from tests.configs.config_cases import CONFIGS, depth, gpus_and_batch

from .tiny_data import write_all

FOLDER = CONFIGS / 'classification'
LEAVES = sorted(path.stem for path in FOLDER.glob('*.py'))
METHODS = ('mixup', 'cutmix', 'alignmix', 'lossmix')
MATRIX = {
    'preact-r18_cifar10': METHODS,
    'preact-r18_cifar100': METHODS,
    'r50_imagenet': METHODS,
    'pyramidnet200_cifar100': METHODS[:2],
    'r50-cam_cub': METHODS[:3],
    'vgg-gap-cam_cub': METHODS[:3],
    'r50-cam_imagenet': METHODS[1:2],
    'vgg-gap-cam_imagenet': METHODS[1:2],
    'preact-r18_animal-crops': METHODS[:3],
    'preact-r18_glyphs': METHODS[:3],
}
every_leaf = pytest.mark.parametrize('leaf', LEAVES)


def load(leaf):
    return Config.fromfile(FOLDER / f'{leaf}.py')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write_all(root / 'data')
    return root


def test_no_leaf_is_forgotten_here():
    named = [f'{base}_{method}' for base in MATRIX for method in MATRIX[base]]
    assert sorted([*MATRIX, *named]) == LEAVES


@every_leaf
def test_a_leaf_is_short_and_says_its_batch(leaf):
    text = (FOLDER / f'{leaf}.py').read_text()
    assert len(text.splitlines()) <= 20
    assert all(isinstance(node, ast.Assign) for node in ast.parse(text).body)
    assert depth(FOLDER / f'{leaf}.py') <= 3
    gpus, batch = gpus_and_batch(f'classification/{leaf}.py')
    cfg = load(leaf)
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)
    rows = (FOLDER / 'README.md').read_text().splitlines()
    (row,) = [row for row in rows if row.startswith(f'| [{leaf}]({leaf}.py) |')]
    assert f'| {gpus} × {batch} |' in row


@every_leaf
def test_a_method_differs_from_its_baseline_by_the_method_alone(leaf):
    base = leaf if leaf in MATRIX else leaf.rpartition('_')[0]
    own, plain = load(leaf).to_dict(), load(base).to_dict()
    head = own['model']['head'].pop('type')
    assert (
        own['model'].pop('train_cfg', None) is not None
        or leaf == base
        or (own['model']['type'] == 'AlignMixClassifier')
    )
    own['model']['type'] = plain['model']['type']
    assert plain['model']['head'].pop('type') == head or head == 'LossMixHead'
    assert own == plain


def first_two(dataset):
    """A batch as a loader collates it."""

    return pseudo_collate([dataset[0], dataset[1]])


# Large models whose step another leaf of the same model and method makes, or nearly so.
SLOW = re.compile(
    r'pyramidnet200_cifar100_|r50_imagenet_(mixup|lossmix)|-cam_cub_mixup|-cam_imagenet'
)
stepped = [
    pytest.param(leaf, marks=[pytest.mark.slow] * bool(SLOW.search(leaf)))
    for leaf in LEAVES
]


@pytest.mark.parametrize('leaf', stepped)
def test_it_is_built_and_makes_a_step(leaf, data, monkeypatch):
    """On two images, those of 224 px shrunk to 64."""
    monkeypatch.chdir(data)
    monkeypatch.setattr('mmpretrain.datasets.cifar.check_md5', lambda *_: True)
    cfg = load(leaf)
    drop_pretrained(cfg)
    torch.manual_seed(0)
    batch = first_two(DATASETS.build(cfg.train_dataloader.dataset))
    assert len({tuple(image.shape) for image in batch['inputs']}) == 1
    if batch['inputs'][0].shape[1] == 224:
        batch['inputs'] = [image[:, :64, :64] for image in batch['inputs']]
    elif leaf.startswith('pyramidnet'):
        batch['inputs'] = [image[:, :8, :8] for image in batch['inputs']]
    model = MODELS.build(copy.deepcopy(cfg.model))
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = model.head.fc.weight.detach().clone()
    losses = model.train_step(batch, wrapper)
    assert torch.isfinite(losses['loss'])
    assert not torch.equal(model.head.fc.weight, before)


# PyramidNet and VGG-GAP are slow, and their data are those of other models.
TESTED = [leaf for leaf in MATRIX if leaf.startswith(('preact', 'r50-cam_cub'))]


LARGE = [
    pytest.param(f'{a}_imagenet', marks=pytest.mark.slow) for a in ('r50', 'r50-cam')
]


@pytest.mark.parametrize('leaf', [*TESTED, *LARGE])
def test_it_is_tested_with_its_metrics(leaf, data, monkeypatch):
    monkeypatch.chdir(data)
    monkeypatch.setattr('mmpretrain.datasets.cifar.check_md5', lambda *_: True)
    cfg = load(leaf)
    drop_pretrained(cfg)
    model = MODELS.build(copy.deepcopy(cfg.model)).eval()
    names = set()
    with torch.no_grad():
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        samples = model.test_step(first_two(dataset))
    evaluators = cfg.test_evaluator
    for metric in evaluators if isinstance(evaluators, list) else [evaluators]:
        built = METRICS.build(metric)
        built.process(None, [sample.to_dict() for sample in samples])
        names |= set(built.evaluate(2))
    assert 'accuracy/top1' in names
    assert ('localization/max_box_acc' in names) == (
        'LocalizationMetric' in repr(evaluators)
    )


RATES = {
    # CutMix suppl., B.1 and B.2: rates of the last layer and the others, epochs, step
    'r50-cam_cub': (0.01, 0.001, 600, 150, 32),
    'vgg-gap-cam_cub': (0.001, 0.0001, 600, 150, 32),
    'r50-cam_imagenet': (0.1, 0.01, 20, 6, 256),
    'vgg-gap-cam_imagenet': (0.1, 0.01, 20, 6, 256),
}


@pytest.mark.parametrize('leaf', list(RATES))
def test_localisation_is_trained_as_the_supplement_says(leaf):
    cfg = load(leaf)
    drop_pretrained(cfg)
    new, old, epochs, step, batch = RATES[leaf]
    model = MODELS.build(copy.deepcopy(cfg.model))
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {
        id(parameter): (group['lr'], group['weight_decay'], group['momentum'])
        for group in groups
        for parameter in group['params']
    }
    for name, parameter in model.named_parameters():
        expected = new if name.startswith('head.fc') else old
        assert rates[id(parameter)] == (pytest.approx(expected), 1e-4, 0.9)
    assert cfg.train_cfg.max_epochs == epochs
    assert (cfg.param_scheduler.type, cfg.param_scheduler.gamma) == ('StepLR', 0.1)
    assert cfg.param_scheduler.step_size == step
    assert cfg.auto_scale_lr.base_batch_size == batch
    assert model.head.num_classes == (200 if 'cub' in leaf else 1000)
    if leaf.startswith('r50'):
        assert model.extract_feat(torch.zeros(1, 3, 224, 224))[0].shape[2:] == (14, 14)
    for loader, crop in (('train', 'RandomCrop'), ('test', 'CenterCrop')):
        steps = cfg[f'{loader}_dataloader'].dataset.pipeline
        assert steps[1] == dict(type='Resize', scale=(256, 256))
        assert steps[2] == dict(type=crop, crop_size=224)


@pytest.mark.parametrize(
    ('leaf', 'epochs', 'rate', 'decays', 'batch'),
    [
        ('preact-r18_cifar100', 2000, 0.1, 'StepLR 500', 128),
        ('pyramidnet200_cifar100', 300, 0.25, 'MultiStepLR [150, 225]', 64),
        ('r50_imagenet', 300, 0.1, 'MultiStepLR [75, 150, 225]', 256),
    ],
)
def test_classification_is_trained_as_the_papers_say(leaf, epochs, rate, decays, batch):
    cfg = load(leaf)
    scheduler = cfg.param_scheduler
    when = scheduler.get('step_size', scheduler.get('milestones'))
    assert f'{scheduler.type} {when}' == decays
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=rate, momentum=0.9, weight_decay=1e-4
    )
    assert cfg.auto_scale_lr.base_batch_size == batch
