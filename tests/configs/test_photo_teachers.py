"""Teachers on photographs: what leaves compose and build, and a step of each kind."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmmix.datasets.voc_animals import CLASSES
from mmmix.models.teachers import TeacherProgress

from .config_cases import ALL, CONFIGS, depth, gpus_and_batch, load, top_level
from .domain_cases import DOMAIN_METHODS, LAMBDAS
from .semi_cases import SEMI_METHODS, on_tiny_data, sources, without_mixing
from .test_configs import CONFIG_KEYS
from .tiny_data import write_voc

DETECTORS = ('ssd160-lite0', 'faster-rcnn160-lite0')
SEMI = [f'photos/{d}_animals100-semi_{m}.py' for d in DETECTORS for m in SEMI_METHODS]
SEMI += [
    f'photos/ssd160-lite0_animals100-crop-semi_mean-teacher{m}.py'
    for m in ('', '-lossmix')
]
DRAWN = [
    f'photos/{d}_animals100-cartoon_{m}.py' for d in DETECTORS for m in DOMAIN_METHODS
]
every_leaf = pytest.mark.parametrize('leaf', [*SEMI, *DRAWN])


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    splits = dict(train='a', train100='b', val='c', test='d')
    for name in ('voc-animals', 'voc-animals_cartoon'):
        write_voc(root / name, splits, CLASSES)
    return root


def method_of(leaf: str) -> str:
    """The method in a leaf's name."""
    return leaf.removesuffix('.py').rpartition('_')[2]


def test_no_leaf_is_missing_and_none_is_forgotten_here():
    found = [leaf for leaf in ALL if leaf.startswith('photos/')]
    taught = [leaf for leaf in found if '-semi_' in leaf or '-cartoon_' in leaf]
    assert taught == sorted([*SEMI, *DRAWN])


@every_leaf
def test_a_leaf_only_composes_and_is_listed(leaf):
    assert all(isinstance(statement, ast.Assign) for statement in top_level(leaf))
    assert len((CONFIGS / leaf).read_text().splitlines()) <= 32
    # the data of cropped ones are those of flipped ones with other steps
    assert depth(CONFIGS / leaf) <= 3 + ('-crop-' in leaf)
    cfg = load(leaf)
    assert set(cfg) - CONFIG_KEYS == ({'mix'} if '/mixes/' in text_of(leaf) else set())
    gpus, batch = gpus_and_batch(leaf)
    sampler = cfg.train_dataloader.sampler
    assert cfg.train_dataloader.batch_size == sampler.batch_size == batch
    assert sum(sampler.source_ratio) == batch
    assert len(sampler.source_ratio) == len(sources(cfg))
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)
    lines = (CONFIGS / 'photos/README.md').read_text().splitlines()
    (row,) = [
        line for line in lines if f'[{Path(leaf).stem}]({Path(leaf).name})' in line
    ]
    images = '(8 + 8)' if batch == 16 else '8'
    assert row.endswith(f'| 1 × {images} |')


def text_of(leaf: str) -> str:
    """The file of a leaf."""
    return (CONFIGS / leaf).read_text()


@pytest.mark.parametrize('leaf', [leaf for leaf in SEMI if leaf.endswith('mix.py')])
def test_a_method_differs_from_the_mean_teacher_by_the_method_alone(leaf):
    base, _, method = leaf.removesuffix('.py').rpartition('-')
    assert without_mixing(leaf) == load(f'{base}.py').to_dict()
    cfg = load(leaf)
    assert cfg.model.mixers == dict(sup=cfg.mix, unsup=cfg.mix, cross=cfg.mix)
    alone = load(f'photos/{leaf.split("/")[1].split("_")[0]}_animals100.py')
    assert cfg.model.detector == alone.model
    assert type(MODELS.build(cfg.mix).supervision).__name__.lower() == method


@pytest.mark.parametrize('leaf', SEMI)
def test_100_images_are_labelled_and_labels_of_the_others_are_not_read(leaf, data):
    labelled, unlabelled = sources(load(leaf))
    assert labelled.ann_file == 'ImageSets/Main/train100.txt'
    assert (unlabelled.ann_file, unlabelled.indices) == (
        'ImageSets/Main/train.txt',
        -1100,
    )
    twin = '300-crop' if '-crop-' in leaf else '100'
    plain = load(f'photos/ssd160-lite0_animals{twin}.py').train_dataloader.dataset
    assert labelled.pipeline[:-1] == plain.pipeline[:-1]
    built = DATASETS.build(sources(on_tiny_data(leaf, data))[1])
    built.full_init()
    assert len(built) == 4
    assert not any(built.get_data_info(k)['instances'] for k in range(4))


def test_a_negative_number_takes_the_last_images(data):
    part = sources(on_tiny_data(SEMI[0], data))[1]
    built = DATASETS.build(dict(part, indices=-3))
    built.full_init()
    assert [built.get_data_info(k)['img_id'] for k in range(3)] == ['a1', 'a2', 'a3']


@pytest.mark.parametrize('leaf', DRAWN)
def test_a_method_has_its_terms_mixers_and_domains(leaf):
    cfg, method = load(leaf), DOMAIN_METHODS[method_of(leaf)]
    weights = {name: cfg.model.semi_train_cfg[f'lambda_{name}'] for name in LAMBDAS}
    full = dict.fromkeys(LAMBDAS, 1.0) | dict(disc=0.1)
    assert weights == {name: full[name] * (name in method.terms) for name in LAMBDAS}
    mixers = cfg.model.mixers or {}
    assert set(mixers) == {*method.mixed, *method.noisy}
    assert all(mixers[term] == cfg.mix for term in method.mixed)
    photos, drawn = 'data/voc-animals/', 'data/voc-animals_cartoon/'
    roots = {'source': photos, 'target': drawn}
    assert [d.data_root for d in sources(cfg)] == [roots[d] for d in method.domains]
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == drawn
    lists = {photos: ('ImageSets/Main/train100.txt', None)}
    lists[drawn] = ('ImageSets/Main/train.txt', -1100)
    for part in sources(cfg):
        assert (part.ann_file, part.get('indices')) == lists[part.data_root]
    detector = leaf.split('/')[1].split('_')[0]
    assert cfg.load_from == f'work_dirs/{detector}_animals100/epoch_60.pth'


def shared(leaf: str) -> dict[str, Any]:
    """A leaf as plain dicts, without all that may differ between methods."""
    cfg = load(leaf).to_dict()
    for key in ('mix', 'train_dataloader', 'auto_scale_lr'):
        cfg.pop(key, None)
    cfg['model'].pop('mixers')
    for name in LAMBDAS:
        del cfg['model']['semi_train_cfg'][f'lambda_{name}']
    return cfg


@pytest.mark.parametrize('leaf', DRAWN)
def test_methods_share_all_else(leaf):
    base = leaf.rpartition('_')[0]
    assert shared(leaf) == shared(f'{base}_lossmix.py')


# what is trained of the teacher's terms, by leaf
STEPS = {
    SEMI[1]: {'sup', 'unsup', 'cross'},
    SEMI[5]: {'sup', 'unsup', 'cross'},
    'photos/ssd160-lite0_animals100-cartoon_lossmix.py': {'mss', 'mtt', 'mst'},
    'photos/faster-rcnn160-lite0_animals100-cartoon_adaptive-teacher.py': {
        *('mss', 'mtt')
    },
}


@pytest.mark.parametrize('leaf', STEPS)
def test_a_step_has_the_terms_of_its_method(leaf, data):
    """With pseudo-labels of everything that the teacher sees, and 2 + 2 images."""
    cfg: Config = on_tiny_data(leaf, data)
    loader = cfg.train_dataloader
    loader.batch_size = loader.sampler.batch_size = 4
    loader.sampler.source_ratio = [2, 2]
    cfg.model.semi_train_cfg.update(cls_pseudo_thr=0.0)
    cfg.model.semi_train_cfg.pop('ignore_pseudo_thr', None)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.teacher.load_state_dict(model.student.state_dict())
    model.train().set_progress(TeacherProgress(300, burn_in=100))
    wrapper = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batch = next(iter(Runner.build_dataloader(loader, seed=0)))
    losses = model.train_step(batch, wrapper)
    assert losses['pseudo_count'] > 0
    terms = {name.partition('_')[0] for name in losses if '_loss' in name}
    assert terms - {'disc'} == STEPS[leaf]
    assert ('disc_acc' in losses) == ('cartoon' in leaf)
    assert all(torch.isfinite(loss).all() for loss in losses.values())
    after = model.state_dict()
    changed = [name for name in after if not torch.equal(after[name], before[name])]
    assert any(name.startswith('student.bbox_head.') for name in changed) or any(
        name.startswith('student.roi_head.') for name in changed
    )
    frozen = tuple(f'student.backbone.layers.{number}.' for number in range(4))
    assert not [name for name in changed if name.startswith((*frozen, 'teacher.'))]
