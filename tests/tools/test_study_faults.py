"""Studies that are asked for what is not there, or that cannot write."""

from __future__ import annotations

import json

import pytest

from mmmix.engine.stop_signals import Stopped
from tests.studies.seeds.stand_ins import calls
from tests.tools.test_study import configs, load_tool, tools  # noqa: F401  fixtures

MISSPELT = "--metric: no run has the metrics ['coco/ap']; there are ['coco/AP']"


@pytest.fixture
def study(configs, tools, tmp_path):  # noqa: F811
    """Calls the tool, and tells of its folder and its stand-ins."""
    tool = load_tool(tools)

    def call(*words):
        work = ['--work-dir', str(tmp_path / 'w')]
        return tool['main']([*configs, '--seeds', '0', *work, *words])

    call.tool, call.folder, call.tools = tool, tmp_path / 'w', tools
    return call


def test_files_of_the_user_are_no_runs(study):
    notes = study.folder / 'notes/seed_list.txt'
    notes.parent.mkdir(parents=True)
    notes.touch()
    assert study() == 0


def test_a_misspelt_metric_loses_no_report(study, capsys):
    assert study('--metric', 'coco/ap') == 0
    out = capsys.readouterr().out
    assert '| a      | 1.000 (1) |' in out
    assert MISSPELT in out
    assert MISSPELT in (study.folder / 'report.md').read_text()
    numbers = json.loads((study.folder / 'report.json').read_text())
    assert list(numbers['mean']) == ['coco/AP']


def test_a_misspelt_metric_is_said_before_any_run_once_it_can_be(study, capsys):
    study()
    calls(study.tools)
    with pytest.raises(KeyError, match='coco/ap'):
        study('--seeds', '0', '1', '--metric', 'coco/ap')
    assert calls(study.tools) == []
    assert study('--report', '--metric', 'coco/ap') == 0
    assert MISSPELT in capsys.readouterr().out


def test_nothing_hides_that_a_signal_has_ended_a_study(study, monkeypatch, capsys):
    study()
    functions = study.tool['run_all'].__globals__

    def stopped(*arguments):
        raise Stopped(15)

    def full(path, content):
        raise OSError(28, 'No space left on device')

    monkeypatch.setitem(functions, 'run_all', stopped)
    monkeypatch.setitem(functions, 'write_whole', full)
    with pytest.raises(Stopped) as ended:
        study()
    assert ended.value.code == 143
    assert 'the report cannot be written: [Errno 28]' in capsys.readouterr().out


def test_a_report_on_what_is_not_there_says_what_is(study, capsys):
    assert study('--report') == 1
    where = f'in {study.folder}, tested with --checkpoint last; it has'
    assert capsys.readouterr().out == f'no finished run of a, bcd {where} no runs\n'
    assert not study.folder.exists()
    study()
    capsys.readouterr()
    assert study('--report', '--checkpoint', 'best') == 1
    assert 'checkpoint best; it has a (0 of 1), bcd (0 of 1)' in capsys.readouterr().out
    assert study('--report') == 0
    assert 'no finished run' not in capsys.readouterr().out


def test_a_report_on_failed_runs_alone_says_why(study, capsys):
    (study.tools / 'train.py').write_text("raise SystemExit('CUDA is on fire')")
    assert study() == 1
    capsys.readouterr()
    assert study('--report') == 1
    out = capsys.readouterr().out
    assert 'it has a (0 of 1), bcd (0 of 1)' in out
    assert 'a/seed_0 FAILED: CUDA is on fire' in out


def test_a_search_without_a_trial_that_ended_is_no_success(study, monkeypatch):
    class Nothing:
        chosen = ''

        def __init__(self, *arguments):
            study.folder.mkdir(exist_ok=True)

        def run(self, count, jobs):
            pass

        def report(self):
            return 'No trial came to its end.'

    monkeypatch.setitem(study.tool['run_all'].__globals__, 'Search', Nothing)
    words = ['--search', 'x=1:2', '--metric', 'm']
    argv = ['a.py', '--work-dir', str(study.folder), *words]
    assert study.tool['main'](argv) == 1
    monkeypatch.setattr(Nothing, 'chosen', '1.5')
    assert study.tool['main'](argv) == 0


@pytest.mark.parametrize(
    'words', [['--grid', 'x=3'], ['--report'], ['--checkpoint', 'best']]
)
def test_what_a_search_would_leave_out_is_refused(study, words, capsys):
    search = ['a.py', '--work-dir', str(study.folder), '--search', 'x=1:2']
    with pytest.raises(SystemExit, match='^2$'):
        study.tool['main']([*search, '--metric', 'm', *words])
    assert 'leave out --grid, --report and' in capsys.readouterr().err


def test_a_method_that_needs_a_setting_may_have_it_of_the_grid(study, monkeypatch):
    """AlignMix has no default level."""
    monkeypatch.setitem(study.tool['run_all'].__globals__, 'run_all', lambda *a: None)
    config = 'mmmix::photos/ssd160-lite0_animals100.py+alignmix'
    words = ['--grid', 'mix.level=1,2', '--work-dir', str(study.folder)]
    assert study.tool['main']([config, *words]) == 1


def test_a_threshold_is_told_where_values_of_a_setting_are_compared(
    study, tmp_path, capsys
):
    config = tmp_path / 'cut.py'
    config.write_text('x = 1\nmodel = dict(test_cfg=dict(score_thr=0.05))\n')
    words = [str(config), '--seeds', '0', '--work-dir', str(study.folder)]
    study.tool['main']([*words, '--grid', 'x=1,2'])
    assert 'tests drop what scores below' in capsys.readouterr().out
    study.tool['main']([*words, '--grid', 'model.test_cfg.score_thr=0.001,0.05'])
    assert 'tests drop what scores below' not in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'instead'),
    [
        ('--seed 3', '--seeds of the study'),
        ('--amp --see=3', '--seeds of the study'),
        ('--work-dir x', '--work-dir of the study'),
        ('--resume', 'resumes its runs by itself'),
        ('--mix boxmix', '--mix of the study'),
        ('--mix-options prob=1', '--mix-options of the study'),
        ('--cfg-options a=1', '--cfg-options of the study'),
        ('--launcher pytorch', '--nproc of the study'),
        ('--amp "', 'No closing quotation'),
    ],
)
def test_what_a_run_sets_itself_is_not_for_train_args(study, words, instead, capsys):
    with pytest.raises(SystemExit, match='^2$'):
        study(f'--train-args={words}')
    assert instead in capsys.readouterr().err


def test_a_config_that_changes_meanwhile_is_in_no_mean(
    study,
    configs,  # noqa: F811
    capsys,
):
    train = (study.tools / 'train.py').read_text()
    edit = f'\nopen({configs[1]!r}, "w").write("model = 2\\n")\n'
    (study.tools / 'train.py').write_text(train + edit)
    assert study('--seeds', '0', '1') == 1
    assert calls(study.tools) == ['train a 0', 'test a 0', 'train a 1', 'test a 1']
    out = capsys.readouterr().out
    assert out.count(f'FAILED: {configs[1]} was changed since the study began') > 1
    runs = json.loads((study.folder / 'results.json').read_text())['runs']
    assert [run['state'] for run in runs.values()].count('done') == 2


@pytest.mark.parametrize('name', ['--cfg-options', '--mix-options'])
def test_options_that_are_none_are_refused_at_once(study, name, capsys):
    with pytest.raises(SystemExit, match='^2$'):
        study(name, 'broken')
    said = f"argument {name}: expected KEY=VALUE, got 'broken'"
    assert said in capsys.readouterr().err


def test_options_that_cannot_be_merged_are_said_before_any_run(study):
    with pytest.raises(ValueError, match='--cfg-options model.lr=2: model.lr has no'):
        study('--cfg-options', 'model.lr=2')
    assert calls(study.tools) == []


def test_a_setting_that_is_new_is_said_once_for_each_config(study, capsys):
    assert study('--cfg-options', 'nonsense.key=2') == 0
    assert capsys.readouterr().out.count('nonsense.key has no place') == 2


def test_settings_of_no_method_are_refused(study, capsys):
    with pytest.raises(SystemExit, match='^2$'):
        study('--mix-options', 'prob=1')
    said = '--mix-options are settings of --mix NAME or CONFIG+NAME'
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ('config', 'words', 'said'),
    [
        # VOC validates on its test images, as papers report it
        ('mmmix::ssd300_voc_boxmix.py', ['--checkpoint', 'best'], True),
        ('mmmix::ssd300_voc_boxmix.py', [], False),
        ('mmmix::demo/ssd_digits_boxmix.py', ['--checkpoint', 'best'], False),
        (
            'mmmix::demo/ssd_digits_boxmix.py',
            [
                *('--checkpoint', 'best', '--cfg-options'),
                'val_dataloader.dataset.ann_file=ImageSets/Main/test.txt',
            ],
            True,
        ),
    ],
)
def test_a_best_checkpoint_that_the_test_chooses_is_said(
    study, config, words, said, monkeypatch, capsys
):
    monkeypatch.setitem(study.tool['run_all'].__globals__, 'run_all', lambda *a: None)
    assert study.tool['main']([config, '--work-dir', str(study.folder), *words]) == 1
    found = 'best on the very images it is tested on' in capsys.readouterr().out
    assert found == said
