"""What the domain adaptation leaves build, load and compute on tiny data."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmmix.apis.training_checks import check_mixing
from mmmix.models.teachers import TeacherProgress

from .config_cases import ROOT, load, mixers_of, overrides_of
from .domain_cases import (
    DOMAIN_MATRIX,
    R101,
    domains,
    on_domain_data,
    parts,
    single_sets,
    write_domain_data,
)
from .tiny_data import moved, write_image, write_voc

DIGITS = [base for base in DOMAIN_MATRIX if 'digits' in base]
SOURCES = {'voc': {'VOC2007', 'VOC2012'}, 'digits': {'digits'}}
BATCHED = [
    f'{R101}_voc-clipart_lossmix.py',
    f'{R101}_voc-watercolor_lossmix.py',
    'domain_adaptation/ssd300_voc-clipart_lossmix.py',
    f'{R101}_voc-clipart_lossmix-paper.py',
    f'{R101}_voc12-watercolor_adaptive-teacher-paper.py',
    'demo/ssd_digits-domain_lossmix.py',
]
DIGITS_LEAVES = [f'{base}_{m}.py' for base in DIGITS for m in DOMAIN_MATRIX[base]]
PHASES = {
    'warm-up': (TeacherProgress(3, 10), ('mss', 'nst')),
    'adaptation': (TeacherProgress(10**6, 10), ('mss', 'mtt', 'mst', 'disc')),
}


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    write_domain_data(root)
    return root


@pytest.fixture(scope='module')
def models() -> dict[str, Any]:
    """Models by leaf."""
    return {}


def smaller(cfg: Config) -> Config:
    """Images of at most 96 pixels, for a detector that takes any size."""
    for domain in domains(cfg):
        for part in single_sets(domain):
            for step in part.pipeline:
                if step.type == 'Resize':
                    step.scale = (96, 96)
    return cfg


def batch_of(cfg: Config) -> dict[str, Any]:
    """The first batch of a leaf's dataloader."""
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    loader.sampler.check_loader(loader)
    return next(iter(loader))


def found_branches(batch: dict[str, Any]) -> dict[str, list]:
    """Samples and images of each branch that has any."""
    pairs = {
        name: [
            (sample, image)
            for sample, image in zip(samples, batch['inputs'][name])
            if sample is not None
        ]
        for name, samples in batch['data_samples'].items()
    }
    return {name: found for name, found in pairs.items() if found}


def folder(sample: Any) -> str:
    """The data set that an image is of."""
    return Path(sample.img_path).parts[-3]


@pytest.mark.parametrize('leaf', BATCHED)
def test_a_batch_has_views_of_source_and_of_target(leaf, data):
    cfg = on_domain_data(leaf, data)
    found = found_branches(batch_of(cfg))
    images = cfg.train_dataloader.sampler.source_ratio[0]
    weak = {} if 'digits' in leaf else dict(sup_weak=images)
    expected = dict(sup=images, unsup_teacher=images, unsup_student=images, **weak)
    assert {name: len(part) for name, part in found.items()} == expected
    pair = parts(leaf)[1]
    known = {folder(sample) for sample, _ in found['sup']}
    assert known <= SOURCES['digits' if 'digits' in leaf else 'voc']
    for sample, _ in found['sup']:
        assert len(sample.gt_instances)
        assert sample.gt_instances.labels.max() < len(pair.classes)
    for sample, _ in (*found['unsup_teacher'], *found['unsup_student']):
        assert folder(sample) == pair.target
        assert not len(sample.gt_instances)


@pytest.mark.parametrize('leaf', BATCHED)
def test_views_of_an_image_have_one_geometry_and_other_colours(leaf, data):
    found = found_branches(batch_of(on_domain_data(leaf, data)))
    views = [('unsup_teacher', 'unsup_student')]
    views += [('sup_weak', 'sup')] * ('sup_weak' in found)
    changed = []
    for weak, strong in views:
        for (sample, image), (other, recoloured) in zip(found[weak], found[strong]):
            assert sample.img_path == other.img_path
            assert np.array_equal(sample.homography_matrix, other.homography_matrix)
            assert image.shape == recoloured.shape
            boxes = (sample.gt_instances.bboxes, other.gt_instances.bboxes)
            assert torch.equal(*(getattr(box, 'tensor', box) for box in boxes))
            changed.append(not torch.equal(image, recoloured))
    # With a probability of 0.92, or 0.99 with patches, a strong view differs.
    assert sum(changed) >= len(changed) - 1


def test_a_batch_does_not_depend_on_the_generators_of_the_process(data):
    cfg = on_domain_data(BATCHED[0], data)
    torch.manual_seed(1)
    np.random.seed(1)
    first = batch_of(cfg)
    np.random.seed(2)
    second = batch_of(cfg)
    for name, images in first['inputs'].items():
        for one, other in zip(images, second['inputs'][name]):
            assert (one is None) == (other is None)
            assert one is None or torch.equal(one, other)


@pytest.mark.parametrize('base', DOMAIN_MATRIX)
def test_single_domains_fill_the_batch(base, data):
    for method in ('source-only', 'oracle'):
        leaf = f'{base}_{method}.py'
        cfg = on_domain_data(leaf, data)
        found = found_branches(batch_of(cfg))
        pair, domain = parts(leaf)[1:]
        assert set(found) - {'sup_weak'} == {'sup'}
        assert len(found['sup']) == cfg.train_dataloader.batch_size
        assert all(len(sample.gt_instances) for sample, _ in found['sup'])
        source = SOURCES['digits' if 'digits' in base else 'voc']
        expected = source if domain.domains == ('source',) else {pair.target}
        assert {folder(sample) for sample, _ in found['sup']} <= expected


@pytest.mark.parametrize('leaf', BATCHED)
def test_the_data_set_of_validation_has_the_metainfo_of_training(leaf, data):
    cfg, classes = on_domain_data(leaf, data), parts(leaf)[1].classes
    train = DATASETS.build(cfg.train_dataloader.dataset)
    test = DATASETS.build(cfg.val_dataloader.dataset)
    # A dict, not mmdet's list of the metainfo of parts that differ.
    assert train.metainfo['classes'] == test.metainfo['classes'] == classes


def built(leaf: str, data: Path, models: dict[str, Any]) -> Any:
    """A leaf's model, whose teacher is its student."""
    if leaf not in models:
        torch.manual_seed(0)
        model = MODELS.build(on_domain_data(leaf, data).model)
        model.init_weights()
        model.teacher.load_state_dict(model.student.state_dict())
        models[leaf] = model
    return models[leaf]


def check_built(leaf: str, model: Any) -> None:
    """Mixers are those of the method, and read by every head."""
    method = parts(leaf)[2]
    found = {
        name.removeprefix('mixers.'): (
            repr(m.settings.ratio),
            m.settings.keep,
            type(m.supervision).__name__,
        )
        for name, m in mixers_of(model).items()
    }
    kind = ('Beta(alpha=1)', 'all', method.supervision)
    noise = ('Uniform(low=0.9, high=1)', 'dominant', 'Union')
    balanced, noisy = (
        dict.fromkeys(method.mixed, kind),
        dict.fromkeys(method.noisy, noise),
    )
    assert found == balanced | noisy
    assert overrides_of(model) == []
    check_mixing(SimpleNamespace(cfg=load(leaf), model=model), training=False)


def check_step(leaf: str, cfg: Config, model: Any, phase: str) -> None:
    """A training step, with pseudo-labels of everything that the teacher sees."""
    progress, names = PHASES[phase]
    model.settings = model.settings._replace(cls_pseudo_thr=0.0, ignore_pseudo_thr=None)
    model.train()
    model.set_progress(progress)
    wrapper = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
    before = [p.detach().clone() for p in model.student.parameters()]
    losses = model.train_step(batch_of(cfg), wrapper)
    terms = {name for name in parts(leaf)[2].terms if name in names}
    logged = {name.partition('_')[0] for name in losses if name != 'disc_loss'}
    assert logged - {'loss', 'pseudo'} == terms
    assert ('pseudo' in logged) == bool(terms & {'mtt', 'mst'})
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert not wrapper.skipped
    after = list(model.student.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after))


@pytest.mark.parametrize('phase', PHASES)
@pytest.mark.parametrize('leaf', DIGITS_LEAVES)
def test_a_step_of_the_digits_has_the_terms_of_its_method(leaf, phase, data, models):
    model = built(leaf, data, models)
    check_built(leaf, model)
    check_step(leaf, on_domain_data(leaf, data), model, phase)


@pytest.mark.slow
@pytest.mark.parametrize('phase', PHASES)
@pytest.mark.parametrize('leaf', BATCHED[:3])
def test_a_step_of_the_recipes(leaf, phase, data, models):
    cfg = on_domain_data(leaf, data)
    model = built(leaf, data, models)
    check_built(leaf, model)
    check_step(leaf, cfg if 'ssd300' in leaf else smaller(cfg), model, phase)


def write_own_data(root: Path) -> None:
    """Two folders as the documentation describes them."""
    names = ('cat', 'dog') * 2
    write_voc(root / 'photos', {'train': 'p'}, names)
    write_voc(root / 'drawings', {'test': 'd'}, names)
    (root / 'drawings/images').mkdir()
    for k in range(4):
        write_image(root / f'drawings/images/{k}.jpg', k)


def test_own_data_as_in_the_documentation(tmp_path):
    """A source in VOC layout, and a folder of images."""
    text = (ROOT / 'docs/domain_data.md').read_text()
    (block,) = (part.split('```')[0] for part in text.split('```python\n')[1:])
    path = tmp_path / 'my_domains.py'
    path.write_text(block)
    cfg, stock = Config.fromfile(path), load(BATCHED[0])
    assert cfg.model.detector.roi_head.bbox_head.num_classes == 2
    own, given = domains(cfg), domains(stock)
    assert own[0].pipeline == single_sets(given[0])[0].pipeline
    assert own[1].pipeline == given[1].pipeline
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.pipeline == stock.val_dataloader.dataset.pipeline
    write_own_data(tmp_path)
    cfg = Config(moved(cfg.to_dict(), tmp_path))
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    train, test = (
        DATASETS.build(loader.dataset)
        for loader in (cfg.train_dataloader, cfg.test_dataloader)
    )
    assert train.metainfo['classes'] == test.metainfo['classes'] == ('cat', 'dog')
    assert [info['img_id'] for info in map(test.get_data_info, range(4))] == [
        f'd{k}' for k in range(4)
    ]
    found = found_branches(batch_of(cfg))
    assert {folder(sample) for sample, _ in found['sup']} == {'photos'}
    assert {folder(sample) for sample, _ in found['unsup_student']} == {'drawings'}
    for sample, _ in found['sup']:
        cat = int(Path(sample.img_path).stem[1:]) % 2 == 0
        assert sample.gt_instances.labels.tolist() == [0 if cat else 1]
