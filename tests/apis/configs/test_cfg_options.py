"""Settings of the command line: how they are written, merged and warned of."""

from __future__ import annotations

import argparse

import pytest
from mmengine.config import Config

from mmmix.apis.arguments import Options
from mmmix.apis.configs.cfg_options import merge_options


def config() -> Config:
    return Config(
        dict(
            test_evaluator=[dict(type='A'), dict(type='B')],
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
            train_dataloader=dict(batch_size=1),
            seed=3,
        )
    )


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('broken', "--cfg-options: expected KEY=VALUE, got 'broken'"),
        ('=3', 'expected KEY=VALUE'),
        ('a=[1,(2]', r'each ( and [ needs its ) and ]'),
    ],
)
def test_what_is_no_option_is_said_in_a_line(text, said, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=Options)
    with pytest.raises(SystemExit, match='^2$'):
        parser.parse_args(['--cfg-options', 'x=1', text])
    assert said in capsys.readouterr().err
    given = ['--cfg-options', 'x=1', 'y=[a,(2,3)]', 'z=k=v']
    read = parser.parse_args(given).cfg_options
    assert read == {'x': 1, 'y': ['a', (2, 3)], 'z': 'k=v'}


@pytest.mark.parametrize(
    ('key', 'said'),
    [
        ('test_evaluator.type', r"has no place, test_evaluator has \['0', '1'\]"),
        ('test_evaluator.2.type', r"has no place, test_evaluator has \['0', '1'\]"),
        ('seed.x', r'has no place, seed has \[\]'),
    ],
)
def test_a_setting_that_cannot_be_merged_is_named(key, said):
    cfg = config()
    with pytest.raises(ValueError, match=f'--cfg-options {key}=X: {key} {said}'):
        merge_options(cfg, {'optim_wrapper.optimizer.lr': 2, key: 'X'})


@pytest.mark.parametrize(
    ('key', 'said'),
    [
        ('nonsense.key', 'nonsense.key has no place, the config has'),
        ('train_dataloader.batch_sise', 'train_dataloader has'),
        ('optim_wrapper.optimiser.lr', "optim_wrapper has ['optimizer', 'type']"),
        ('default_hooks.checkpoint.intervall', "checkpoint has 'interval'"),
    ],
)
def test_a_setting_that_looks_misspelt_is_warned_of(key, said, capsys):
    cfg = config()
    merge_options(cfg, {key: 1})
    out = capsys.readouterr().out
    assert f'--cfg-options {key}' in out
    assert said in out
    place = cfg
    for part in key.split('.'):
        place = place[part]
    assert place == 1


@pytest.mark.parametrize(
    'key',
    [
        'optim_wrapper.optimizer.lr',
        'optim_wrapper.optimizer.momentum',
        'optim_wrapper.optimizer._delete_',
        'test_evaluator.1.type',
        'randomness.seed',
        'find_unused_parameters',
        'default_hooks.checkpoint.max_keep_ckpts',
    ],
)
def test_settings_that_have_a_place_are_not(key, capsys):
    merge_options(config(), {key: 1})
    assert capsys.readouterr().out == ''
