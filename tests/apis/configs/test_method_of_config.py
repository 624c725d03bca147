"""``CONFIG+METHOD``: a config with a method, wherever a config is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

import mmmix
from mmmix.apis.configs.config_reading import config_name, read_config, split_method
from mmmix.commands import benchmark_step, study
from mmmix.studies.seeds.grid import Choice
from mmmix.studies.seeds.runs import Commands, Run

BASELINE = 'mmmix::demo/ssd_digits.py'
LEAF = 'mmmix::demo/ssd_digits_lossmix.py'


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a/b.py', ('a/b.py', None)),
        ('a/b.py+lossmix', ('a/b.py', 'lossmix')),
        ('a+b/c.py', ('a+b/c.py', None)),
        ('mmdet::ssd/ssd300_coco.py+boxmix', ('mmdet::ssd/ssd300_coco.py', 'boxmix')),
    ],
)
def test_split(text, expected):
    assert split_method(text) == expected


def test_a_file_with_a_plus_in_its_name_is_a_file(tmp_path):
    path = tmp_path / 'a.py+b'
    path.write_text('')
    assert split_method(str(path)) == (str(path), None)


def test_it_reads_as_our_leaf_and_is_named_as_one():
    cfg = read_config(f'{BASELINE}+lossmix')
    assert cfg.model == read_config(LEAF).model
    assert config_name(f'{BASELINE}+lossmix') == config_name(LEAF)
    assert cfg.work_dir == 'work_dirs/ssd_digits_lossmix'
    alpha = read_config(f'{BASELINE}+lossmix', mix_options={'ratio.alpha': 0.5})
    (mixer,) = alpha.model.data_preprocessor.batch_augments
    assert mixer.ratio.alpha == 0.5


def test_two_methods_are_refused():
    with pytest.raises(ValueError, match='names a method, and so does --mix boxmix'):
        read_config(f'{BASELINE}+lossmix', mix='boxmix')


@pytest.mark.parametrize(
    ('line', 'scope'),
    [('', 'mmdet'), ('default_scope = None', 'mmdet'), ('default_scope = "x"', 'x')],
)
def test_what_is_read_is_built_in_its_scope(line, scope, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(f'{line}\n')
    with DefaultScope.overwrite_default_scope('mmengine'):  # all is as before then
        read_config(str(config))
        assert DefaultScope.get_current_instance().scope_name == scope


def test_settings_of_a_method_need_one():
    with pytest.raises(ValueError, match='--mix-options ratio.alpha: .* given without'):
        read_config(BASELINE, mix_options={'ratio.alpha': 0.5})


def test_a_study_puts_a_method_into_every_config():
    args = study.parse_args(['a.py', 'b.py', '--work-dir', 'w', '--mix', 'boxmix'])
    assert args.configs == ['a.py+boxmix', 'b.py+boxmix']


def test_runs_of_a_study_hand_the_method_on_and_tell_it_apart():
    run = Run(f'{BASELINE}+lossmix', 0, Path('w'))
    assert run.name == 'ssd_digits_lossmix/seed_0'
    commands = Commands(Path('t'), mix_options=['ratio.alpha=0.5'])
    train = commands.train(run, resume=False)
    assert train[2] == run.config
    assert train[-2:] == ['--mix-options', 'ratio.alpha=0.5']
    baseline = commands.train(Run(BASELINE, 0, Path('w')), resume=False)
    assert '--mix-options' not in baseline
    plain = Commands(Path('t'))
    prints = {
        plain.fingerprint(Choice(BASELINE)),
        plain.fingerprint(Choice(f'{BASELINE}+lossmix')),
        plain.fingerprint(Choice(f'{BASELINE}+boxmix')),
        commands.fingerprint(Choice(f'{BASELINE}+lossmix')),
    }
    assert len(prints) == 4


def test_benchmark_step_compares_a_config_with_itself_mixed():
    args = benchmark_step.parse_args(
        [BASELINE, f'{BASELINE}+lossmix', '--mix-options', 'prob=0.5']
    )
    path = mmmix.config_path('demo/ssd_digits.py')
    plain, mixed = (
        benchmark_step.load(name, None, args.mix_options)
        for name in (path, f'{path}+lossmix')
    )
    assert 'batch_augments' not in plain.model.data_preprocessor
    assert mixed.model.data_preprocessor.batch_augments[0].prob == 0.5
