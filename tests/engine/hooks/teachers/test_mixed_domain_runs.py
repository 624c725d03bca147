"""MixedDomainTeacher in runs: phases, resumes, and the best checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from mmdet.registry import DATASETS, METRICS
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from mmmix.apis.checkpoints.loading import install_safe_loading
from tests.models.teachers import domain, semi

K, ITERS, SIZE = 2, 5, (64, 64)


@DATASETS.register_module()
class ToyDomains(torch.utils.data.Dataset):
    """Four source images with labels, each with two views of a target image."""

    metainfo = {}

    def __init__(self, branches: bool = True) -> None:
        self.branches = branches

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        image, target, weak = semi.images(3, index, SIZE)
        sample = semi.sample(semi.objects(2, index, SIZE), size=SIZE, name=f'{index}')
        if not self.branches:
            return dict(inputs=image, data_samples=sample)
        other = semi.sample(semi.objects(0, 0), size=SIZE, name=f't{index}')
        return dict(
            inputs=dict(sup=image, unsup_student=target, unsup_teacher=weak),
            data_samples=dict(sup=sample, unsup_student=other, unsup_teacher=other),
        )


@METRICS.register_module()
class ToyConfidence(BaseMetric):
    """The mean of the best scores of the images."""

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            self.results.append(float(sample['pred_instances']['scores'].max()))

    def compute_metrics(self, results) -> dict:
        return dict(score=sum(results) / len(results))


def loader(batch_size, sampler, **dataset):
    return dict(
        batch_size=batch_size,
        num_workers=0,
        dataset=dict(type='ToyDomains', **dataset),
        sampler=dict(type=sampler, shuffle=sampler == 'InfiniteSampler'),
    )


def train(folder, **changes):
    """Run to the end; returns the Runner."""
    model = domain.config(
        'SSD',
        'LossMix',
        mixers=domain.mixers(),
        semi_train_cfg=dict(cls_pseudo_thr=0.1, disc_ramp_up=2, lambda_disc=1.0),
    )
    hooks = [
        dict(type='MixTeacherHook', momentum=0.1, burn_in=K, distance_interval=0),
        dict(type='IterationSeedHook'),
        dict(type='DomainTeacherHook'),
        dict(type='DivergenceWatchHook', patience=2),
    ]
    checkpoint = dict(
        type='CheckpointHook',
        interval=1,
        by_epoch=False,
        save_best='current/score',
        rule='less',
    )
    settings = dict(
        model=model,
        work_dir=str(folder),
        train_dataloader=loader(2, 'InfiniteSampler'),
        val_dataloader=loader(1, 'DefaultSampler', branches=False),
        val_evaluator=dict(type='ToyConfidence'),
        val_cfg=dict(type='TeacherStudentValLoop'),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=ITERS, val_interval=1),
        optim_wrapper=dict(
            type='SkipNonFiniteOptimWrapper',
            optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=0.1),
            clip_grad=dict(max_norm=10),
        ),
        default_hooks=dict(
            checkpoint=checkpoint,
            logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
        ),
        log_processor=dict(by_epoch=False),
        custom_hooks=hooks,
        randomness=dict(seed=3),
        default_scope='mmdet',
        experiment_name=Path(folder).name,
    )
    runner = Runner(**{**settings, **changes})
    with install_safe_loading():
        runner.train()
    return runner


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A run that nothing stopped; its folder and its model."""
    folder = tmp_path_factory.mktemp('domains')
    return folder, train(folder).model


def load(folder, iteration):
    return torch.load(Path(folder) / f'iter_{iteration}.pth', weights_only=False)


def part(folder, iteration, name):
    state = load(folder, iteration)['state_dict']
    return {n.removeprefix(name): t for n, t in state.items() if n.startswith(name)}


def equal(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )


def scalars(folder):
    """What was logged, by kind of line: of training and of validation."""
    (path,) = Path(folder).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    training = [line for line in lines if 'loss' in line]
    return training, [line for line in lines if 'current/score' in line]


def test_terms_of_each_phase(whole):
    lines, _ = scalars(whole[0])
    terms = [{n.split('_')[0] for n in line if '_loss' in n} for line in lines]
    warm_up, adaptation = {'mss', 'nst', 'disc'}, {'mss', 'mtt', 'mst', 'disc'}
    assert terms == [warm_up] * K + [adaptation] * (ITERS - K)
    assert [line.get('disc_loss') for line in lines] == [0.0] * K + [None] * 3
    assert all(line['skipped_steps'] == 0 for line in lines)
    text = next(Path(whole[0]).glob('*/*.log')).read_text()
    for line in (
        'Warm-up, iteration 0 to 1: L = 1 L_mss + 1 L_nst',
        'Adaptation, iteration 2 and on: L = 1 L_mss + 1 L_mtt + 1 L_mst + 1 L_disc',
    ):
        assert text.count(line) == 1


def test_teacher_and_discriminator_start_together(whole):
    """Identity 27; and the discriminator forgets the warm-up, momenta included."""
    folder, _ = whole
    assert not equal(part(folder, 1, 'teacher.'), part(folder, 1, 'student.'))
    assert equal(part(folder, K, 'teacher.'), part(folder, K, 'student.'))
    assert not equal(part(folder, K + 1, 'teacher.'), part(folder, K + 1, 'student.'))
    optimizers = [load(folder, i)['optimizer']['state'] for i in (1, K, K + 1)]
    forgotten = [len(optimizers[0]) - len(state) for state in optimizers]
    assert forgotten == [0, 4, 0]
    fresh = domain.build().discriminator
    fresh.reset(3)
    moved = part(folder, K + 1, 'discriminator.')
    apart = [
        (moved[name] - value).abs().max() for name, value in fresh.named_parameters()
    ]
    assert 0 < max(apart) < 1e-2
    before = part(folder, K, 'discriminator.')
    name = 'convs.0.weight'
    assert (moved[name] - before[name]).abs().max() > 0.03


@pytest.mark.parametrize('stop', [K - 1, K, K + 1])
def test_resume_around_the_end_of_warm_up(whole, tmp_path, stop):
    """The same student, teacher and discriminator as without the stop, bit by bit."""
    folder, model = whole
    path = str(folder / f'iter_{stop}.pth')
    resumed = train(tmp_path, resume=True, load_from=path).model
    assert equal(resumed.state_dict(), model.state_dict())


def test_the_best_checkpoint_is_that_of_the_model_that_counts(whole):
    folder, _ = whole
    _, lines = scalars(folder)
    assert [line['step'] for line in lines] == list(range(1, ITERS + 1))
    for line in lines:
        role = 'student' if line['step'] < K else 'teacher'
        assert line['current/score'] == line[f'{role}/score']
    assert any(line['teacher/score'] != line['student/score'] for line in lines)
    best = min(lines, key=lambda line: line['current/score'])['step']
    found = [path.name for path in folder.glob('best_*.pth')]
    assert found == [f'best_current_score_iter_{best}.pth']


def test_a_validation_made_again_in_the_warm_up_counts_the_student(whole, tmp_path):
    """Before the first iteration after the resume, with the scores of before."""
    checkpoint = dict(type='WholeCheckpointHook', by_epoch=False)
    checkpoint.update(save_best='current/score', rule='less')
    logger = dict(type='LoggerHook', interval=1, log_metric_by_epoch=False)
    train(
        tmp_path,
        resume=True,
        load_from=str(whole[0] / f'iter_{K - 1}.pth'),
        default_hooks=dict(checkpoint=checkpoint, logger=logger),
    )
    (before, *_), (again, *_) = (scalars(path)[1] for path in (whole[0], tmp_path))
    assert again['step'] == before['step'] == K - 1
    for name in ('student/score', 'teacher/score'):
        assert again[name] == before[name]
    assert before['student/score'] != before['teacher/score']
    assert again['current/score'] == before['current/score'] == again['student/score']


def test_a_poisoned_run_goes_on_and_says_why(tmp_path, monkeypatch):
    """One NaN image; then nothing but NaN images, until it stops."""
    stock = ToyDomains.__getitem__
    loaded = []

    def poisoned(self, index):
        data = stock(self, index)
        loaded.append(index)
        if self.branches and (len(loaded) in (3, 4) or len(loaded) > 6):
            data['inputs']['sup'] = data['inputs']['sup'] * float('nan')
        return data

    monkeypatch.setattr(ToyDomains, '__getitem__', poisoned)
    optim = dict(
        type='SkipNonFiniteOptimWrapper',
        optimizer=dict(type='SGD', lr=1e-3, momentum=0.9),
        max_skipped=2,
    )
    without_val = dict.fromkeys(('val_dataloader', 'val_evaluator', 'val_cfg'))
    hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False))
    with pytest.raises(FloatingPointError, match='^2 optimizer steps in a row'):
        train(tmp_path, optim_wrapper=optim, default_hooks=hooks, **without_val)
    assert not list(tmp_path.glob('iter_5.pth'))
    saved = load(tmp_path, 4)
    assert saved['message_hub']['runtime_info']['skipped_steps'] == 2
    assert all(t.isfinite().all() for t in saved['state_dict'].values())
    assert equal(part(tmp_path, 1, 'student.'), part(tmp_path, 2, 'student.'))
    text = next(Path(tmp_path).glob('*/*.log')).read_text()
    assert 'The optimizer step of iteration 1 was left out' in text
    assert 'In iteration 1 loss, mss_loss_bbox, mss_loss_cls, nst_loss_' in text
    assert '.jpg' in text
