"""Settings that a study varies."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmix.apis.configs.config_reading import config_name
from mmmix.studies.seeds.grid import Axis, Choice, choices, parse_axis
from mmmix.studies.seeds.options import read_choice
from mmmix.studies.seeds.runs import Commands
from mmmix.studies.seeds.val_and_test import check_val_is_not_test

BASE = 'mmmix::demo/ssd_digits.py'
LEAF = 'mmmix::demo/ssd_digits_boxmix.py'


@pytest.mark.parametrize(
    ('text', 'values'),
    [
        ('lr=0.1,1', ('0.1', '1')),
        ('a.b_c.0=x', ('x',)),
        ('k=[1,2],[3,(4,5)]', ('[1,2]', '[3,(4,5)]')),
        ('k="a,b",c', ('"a,b"', 'c')),
        ("k={'a':1,'b':2},{}x", ("{'a':1,'b':2}", '{}x')),
    ],
)
def test_axes_are_read(text, values):
    assert parse_axis(text) == Axis(text.partition('=')[0], values)


@pytest.mark.parametrize('text', ['lr', 'lr=', 'lr=1,,2', '=1', 'l r=1', 'lr=1,1'])
def test_bad_axes(text):
    with pytest.raises(ValueError, match='--grid'):
        parse_axis(text)


def test_a_setting_of_the_method_leaves_the_baseline_alone():
    """In a leaf it is one of its mixer, with +METHOD one of the method."""
    grid = [Axis('mix.ratio.alpha', ('0.2', '1'))]
    found = choices([BASE, f'{BASE}+lossmix', LEAF], grid)
    assert [choice.label for choice in found] == [
        BASE,
        *(f'{BASE}+lossmix@mix.ratio.alpha={a}' for a in ('0.2', '1')),
        *(f'{LEAF}@mix.ratio.alpha={a}' for a in ('0.2', '1')),
    ]
    assert [config_name(choice.label) for choice in found] == [
        'ssd_digits',
        *(f'ssd_digits_lossmix@mix.ratio.alpha={a}' for a in ('0.2', '1')),
        *(f'ssd_digits_boxmix@mix.ratio.alpha={a}' for a in ('0.2', '1')),
    ]
    assert found[1].mix_options == ('ratio.alpha=0.2',)
    assert found[1].cfg_options == ()
    assert found[4].mix_options == ()
    assert found[4].cfg_options == (
        'model.data_preprocessor.batch_augments.0.ratio.alpha=1',
    )


def test_all_combinations():
    grid = [
        Axis('optim_wrapper.optimizer.lr', ('0.1', '0.2')),
        Axis('train_dataloader.batch_size', ('4', '8')),
    ]
    found = choices([BASE], grid)
    assert [choice.cfg_options for choice in found] == [
        (f'optim_wrapper.optimizer.lr={lr}', f'train_dataloader.batch_size={n}')
        for lr in ('0.1', '0.2')
        for n in ('4', '8')
    ]
    assert len({config_name(choice.label) for choice in found}) == 4


def test_no_grid_is_the_config_itself():
    (choice,) = choices(['x/never_read.py'], [])
    assert choice.label == 'x/never_read.py'


def test_keys_that_lead_nowhere():
    with pytest.raises(KeyError, match=r'optim_wraper.lr has no place, the config has'):
        choices([BASE], [Axis('optim_wraper.lr', ('1',))])
    with pytest.raises(KeyError, match=r'train_dataloader has \[.batch_size'):
        choices([BASE], [Axis('train_dataloader.batch_sizes.train_cfg', ('1',))])
    with pytest.raises(KeyError, match=r'batch_augments has \[.0.\]'):
        choices([LEAF], [Axis('model.data_preprocessor.batch_augments.1.prob', ('1',))])
    with pytest.raises(ValueError, match=r'--grid mix.prob: no config mixes'):
        choices([BASE], [Axis('mix.prob', ('1',))])
    with pytest.raises(ValueError, match='a key twice'):
        choices([BASE], [Axis('mix.prob', ('1',))] * 2)


YOLOX = 'mmdet::yolox/yolox_s_8xb8-300e_coco.py'


def test_what_resizes_batches_is_no_mixer(tmp_path):
    """The baseline is made once, and the mixer behind is the one that is set."""
    grid = [Axis('mix.ratio.alpha', ('0.2', '1'))]
    base, *mixed = choices([YOLOX, f'{YOLOX}+lossmix'], grid)
    assert base == Choice(YOLOX)
    assert [choice.mix_options for choice in mixed] == [
        ('ratio.alpha=0.2',),
        ('ratio.alpha=1',),
    ]
    leaf = tmp_path / 'leaf.py'
    ratio = "ratio=dict(type='Beta', alpha=1.0)"
    text = f"dict(type='BatchSyncRandomResize'), dict(type='MixBatch', {ratio})"
    holder = f'dict(data_preprocessor=dict(batch_augments=[{text}]))'
    leaf.write_text(f'model = {holder}\n')
    for choice in choices([str(leaf)], grid):
        (option,) = choice.cfg_options
        assert option.startswith('model.data_preprocessor.batch_augments.1.ratio.alpha')
    pipeline = f"[dict(type='PackMixInputs'), dict(type='MixImage', {ratio})]"
    leaf.write_text(f'train_dataloader = dict(dataset=dict(pipeline={pipeline}))\n')
    (first, _) = choices([str(leaf)], grid)
    (option,) = first.cfg_options
    assert option == 'train_dataloader.dataset.pipeline.1.ratio.alpha=0.2'
    cfg = read_choice(first.config, first.cfg_options)
    assert cfg.train_dataloader.dataset.pipeline[1].ratio.alpha == 0.2
    leaf.write_text(f'model = dict(student={holder}, teacher={holder})\n')
    with pytest.raises(ValueError, match='several mixers, model.student.*; give the'):
        choices([str(leaf)], grid)


def test_a_setting_that_an_object_knows_may_be_new():
    (choice,) = choices([LEAF], [Axis('mix.prob', ('0.5',))])
    assert choice.cfg_options == ('model.data_preprocessor.batch_augments.0.prob=0.5',)


PHOTOS = 'mmmix::photos/ssd160-lite0_animals100.py+alignmix'


def test_a_method_that_needs_a_setting_gets_it_wherever_a_study_reads_it():
    """AlignMix has no default level: read without it, the config would be refused."""
    given = ['level=1']
    commands = Commands(Path('t'), mix_options=given)
    plain = Choice(PHOTOS)
    with pytest.raises(ValueError, match='--mix-options level=2'):
        Commands(Path('t')).fingerprint(plain)
    other = Commands(Path('t'), mix_options=['level=2'])
    assert commands.fingerprint(plain) != other.fingerprint(plain)

    rates = Axis('optim_wrapper.optimizer.lr', ('0.1', '0.2'))
    assert len(choices([PHOTOS], [rates], given)) == 2
    levels = choices([PHOTOS], [Axis('mix.level', ('1', '2')), rates])
    assert [choice.mix_options for choice in levels] == [
        *[('level=1',)] * 2,
        *[('level=2',)] * 2,
    ]

    check_val_is_not_test(PHOTOS, [], given)
