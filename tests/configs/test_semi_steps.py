"""What the leaf configs with a teacher build, load and compute on tiny data."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmmix.apis.training_checks import check_mixing
from mmmix.models.teachers.teacher_progress import TeacherProgress

from .config_cases import check_mixer, load, mixers_of, overrides_of
from .semi_cases import (
    BASES,
    COCO,
    SEMI_LEAVES,
    SEMI_METHODS,
    VOC,
    base_and_method,
    on_tiny_data,
    sources,
    views,
    write_semi_data,
)

# The models of all percentages are the same.
MODELLED = [leaf for leaf in SEMI_LEAVES if 'coco' not in leaf or 'semi10_' in leaf]


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    write_semi_data(root)
    return root


def smaller(cfg: Config) -> Config:
    """Images of at most 64 pixels, for a detector that takes any size."""
    labelled, unlabelled = sources(cfg)
    resize = dict(type='Resize', scale=(64, 64), keep_ratio=True)
    for pipeline in (labelled.pipeline, *views(unlabelled)):
        (place,) = (k for k, step in enumerate(pipeline) if 'Resize' in step['type'])
        pipeline[place] = resize
    return cfg


def batch_of(cfg: Config) -> dict:
    """The first batch of a leaf's dataloader."""
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    loader.sampler.check_loader(loader)
    return next(iter(loader))


@pytest.mark.parametrize('base', BASES)
def test_a_batch_has_labelled_images_and_two_views_of_the_others(base, data):
    cfg = on_tiny_data(f'{base}_mean-teacher.py', data)
    batch = batch_of(cfg)
    labelled, unlabelled = cfg.train_dataloader.sampler.source_ratio
    samples = {
        name: [sample for sample in branch if sample is not None]
        for name, branch in batch['data_samples'].items()
    }
    assert {name: len(branch) for name, branch in samples.items()} == dict(
        sup=labelled, unsup_teacher=unlabelled, unsup_student=unlabelled
    )
    assert all(len(sample.gt_instances) for sample in samples['sup'])
    for weak, strong in zip(samples['unsup_teacher'], samples['unsup_student']):
        assert weak.img_path == strong.img_path
        assert not len(weak.gt_instances) + len(strong.gt_instances)
        for view in (weak, strong):
            assert np.abs(np.linalg.det(view.homography_matrix)) > 0.1
    known, unknown = (
        {s.img_path for s in samples[k]} for k in ('sup', 'unsup_teacher')
    )
    assert not known & unknown
    if 'voc' in base:
        assert {Path(path).parts[-3] for path in known} == {'VOC2007'}
        assert {Path(path).parts[-3] for path in unknown} == {'VOC2012'}
    else:
        # two of the four images each, whichever the fold made labelled
        assert (len(known), len(unknown)) == (2, 2)


@pytest.mark.parametrize('base', [COCO[0], *VOC])
def test_a_batch_does_not_depend_on_the_generators_of_the_process(base, data):
    cfg = on_tiny_data(f'{base}_mean-teacher.py', data)
    torch.manual_seed(1)
    np.random.seed(1)
    first = batch_of(cfg)
    np.random.seed(2)
    second = batch_of(cfg)
    for name, images in first['inputs'].items():
        for one, other in zip(images, second['inputs'][name]):
            assert (one is None) == (other is None)
            assert one is None or torch.equal(one, other)


@pytest.mark.parametrize('leaf', MODELLED)
def test_the_built_teacher_mixes_as_its_name_says(leaf, data):
    model = MODELS.build(on_tiny_data(leaf, data).model)
    expected = SEMI_METHODS[base_and_method(leaf)[1]]
    mixers = mixers_of(model)
    assert overrides_of(model) == []
    check_mixing(SimpleNamespace(cfg=load(leaf), model=model), training=False)
    if expected is None:
        assert mixers == {}
        return
    assert set(mixers) == {'mixers.sup', 'mixers.unsup', 'mixers.cross'}
    for mixer in mixers.values():
        check_mixer(mixer, expected)
        assert (mixer.settings.pad, mixer.settings.prob) == ('mean', 1.0)


def check_step(cfg: Config, names: set[str]) -> None:
    """One training step with pseudo-labels of everything the teacher sees."""
    cfg.model.semi_train_cfg.cls_pseudo_thr = 0.0
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.teacher.load_state_dict(model.student.state_dict())
    model.train()
    model.set_progress(TeacherProgress(iteration=10**6, burn_in=0))
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = [p.detach().clone() for p in model.student.parameters()]
    losses = model.train_step(batch_of(cfg), wrapper)
    terms = {f'{term}_{name}' for term in ('sup', 'unsup', 'cross') for name in names}
    assert set(losses) == terms | {'loss', 'pseudo_count', 'pseudo_score'}
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses['pseudo_count'] > 0
    after = list(model.student.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after))


def test_a_step_of_faster_rcnn(data):
    cfg = on_tiny_data(
        'semi/faster-rcnn_r50_voc07-voc12u_mean-teacher-lossmix.py', data
    )
    detector = cfg.model.detector
    detector.test_cfg.rcnn.score_thr = 0.0
    detector.train_cfg.rpn_proposal.max_per_img = 50
    detector.test_cfg.rpn.max_per_img = 50
    names = {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox', 'acc'}
    check_step(smaller(cfg), names)


def test_a_step_of_yolov3(data):
    cfg = on_tiny_data('semi/yolov3_d53_voc07-voc12u_mean-teacher-boxmix.py', data)
    cfg.model.detector.test_cfg.update(score_thr=0.0, conf_thr=0.0)
    names = {'loss_cls', 'loss_conf', 'loss_xy', 'loss_wh'}
    check_step(smaller(cfg), names)


@pytest.mark.slow
def test_a_step_of_ssd300(data):
    cfg = on_tiny_data('semi/ssd300_voc07-voc12u_mean-teacher-lossmix.py', data)
    cfg.train_dataloader.batch_size = cfg.train_dataloader.sampler.batch_size = 4
    check_step(cfg, {'loss_cls', 'loss_bbox'})
