"""Misspelt settings of a study are told before its first run."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmix.studies.seeds.grid import choices, parse_axis
from mmmix.studies.seeds.runs import Commands
from mmmix.studies.seeds.study import Study

BASE = 'mmmix::demo/ssd_digits.py'
MIXED = f'{BASE}+boxmix'
LEAF = 'mmmix::demo/ssd_digits_boxmix.py'


def check(config, grid=(), cfg_options=(), mix_options=()):
    """What a study does with each of its choices before any run."""
    commands = Commands(Path('t'), cfg_options, (), mix_options)
    axes = [parse_axis(text) for text in grid]
    for choice in choices([config], axes, mix_options):
        commands.check(choice)


@pytest.mark.parametrize('config', [MIXED, LEAF])
@pytest.mark.parametrize(
    ('axis', 'said'),
    [
        (
            'mix.alhpa=2,3',
            r"mix.alhpa=2: MixBatch has no setting 'alhpa'; the nearest is ratio.alpha",
        ),
        ('mix.ratio.alhpa=2', r"mix.ratio.alhpa=2: .*'alhpa'; the nearest is ratio.al"),
        (
            'mix.prop=0.5',
            r"mix.prop=0.5: MixBatch has no setting 'prop'; the nearest is prob",
        ),
        ('mix.prob=0.5,2', r'mix.prob=2: prob .*2'),
        ('mix.xyz=1', r"mix.xyz=1: MixBatch has no setting 'xyz'$"),
    ],
)
def test_settings_of_a_method(config, axis, said):
    with pytest.raises(ValueError, match=said) as raised:
        check(config, [axis])
    assert str(raised.value).startswith(f'{config}: mix.')


def test_options_of_a_method():
    said = r"prop=0.5: MixBatch has no setting 'prop'; the nearest is prob"
    with pytest.raises(ValueError, match=said):
        check(MIXED, mix_options=['prop=0.5'])
    place = 'model.data_preprocessor.batch_augments.0.prop=0.5'
    with pytest.raises(ValueError, match=f"{place}: MixBatch has no setting 'prop'"):
        check(LEAF, cfg_options=['train_dataloader.batch_size=4', place])


@pytest.mark.parametrize(
    ('option', 'said'),
    [
        (
            'model.bbox_head.num_clases=3',
            r"MixSSDHead has no setting 'num_clases'; the nearest is "
            r'model.bbox_head.num_classes$',
        ),
        (
            'optim_wrapper.optimizer.wieght_decay=0.1',
            r"'wieght_decay'; the nearest is optim_wrapper.optimizer.weight_decay$",
        ),
    ],
)
def test_settings_of_other_objects(option, said):
    """A head hands on what it does not take itself; an optimizer takes no others."""
    for words in (dict(grid=[option]), dict(cfg_options=[option])):
        with pytest.raises(ValueError, match=f'{option}: .*{said}'):
            check(MIXED, **words)


@pytest.mark.parametrize(
    'option',
    [
        'model.bbox_head.num_classes=10',
        'optim_wrapper.paramwise_cfg.norm_decay_mult=0',
        'optim_wrapper.paramwise_cfg=None',
        'optim_wrapper.clip_grad.max_norm=35',
        'optim_wrapper.optimizer.foreach=True',
        'default_hooks.checkpoint.priority=LOW',
        'default_hooks.checkpoint.max_keep_ckpts=1',
        'train_dataloader.dataset.indices=4',
        'train_dataloader.num_workers=0',
        'nonsense.key=2',
        'train_cfg.dynamic_intervals=None',
        'find_unused_parameters=True',
        'model.backbone.norm_cfg.type=BN',
        'model.dcn.deformable_groups=1',
    ],
)
def test_what_a_training_takes_is_taken(option):
    check(MIXED, cfg_options=['model.dcn.type=DCNv2', option])


@pytest.mark.parametrize('axis', ['mix.prob=0.5', 'mix.lam_per=batch', 'mix.keep=all'])
def test_settings_that_are_new(axis):
    check(MIXED, [axis])
    check(LEAF, [axis])


def test_a_place_that_is_misspelt():
    with pytest.raises(KeyError, match=r"did you mean 'optim_wrapper'\?"):
        check(BASE, ['optim_wraper.lr=1'])


def test_no_run_begins(tmp_path):
    class Children:
        def call(self, *words):
            raise AssertionError('a run has begun')

    commands = Commands(tmp_path, mix_options=['prop=1'])
    with pytest.raises(ValueError, match='the nearest is prob'):
        Study([MIXED], [0], tmp_path / 'w', commands, Children())
    assert not (tmp_path / 'w').exists()
