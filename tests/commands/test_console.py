"""The console command: what it starts, what it says, and that it starts lightly."""

from __future__ import annotations

import argparse
import importlib
import os
import runpy
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mmmix.apis.configs.config_path import config_names, mix_names, nearest_configs
from mmmix.apis.plain_errors import TRACEBACK
from mmmix.commands import console
from mmmix.commands.completion import parser_of
from mmmix.commands.console import main
from mmmix.commands.subcommands import SUBCOMMANDS

AFTER = "import sys; heavy = {'torch', 'mmdet', 'mmengine', 'mmcv'} & set(sys.modules)"


@pytest.fixture(autouse=True)
def _arguments(monkeypatch):
    """The command names the program in them."""
    monkeypatch.setattr(sys, 'argv', sys.argv)


def started(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize('arguments', [['--help'], ['configs', 'yolov3']])
def test_light_subcommands_load_no_stack(arguments):
    code = f'import mmmix_command; mmmix_command.main({arguments!r}); {AFTER}'
    assert started(f'{code}; print(sorted(heavy))').splitlines()[-1] == '[]'


def test_the_module_form_loads_no_stack_and_says_the_same():
    command = [sys.executable, '-X', 'importtime', '-m', 'mmmix', '--help']
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == console.overview()
    assert 'mmmix.commands.console' in done.stderr
    assert not [line for line in done.stderr.splitlines() if '| torch' in line]


def test_the_package_registers_all_after_it_was_started_lightly():
    code = (
        'import mmmix_command, sys; mmmix_command.main(["--version"]);'
        'from mmmix.commands.console import register_all; register_all();'
        'from mmdet.registry import MODELS; import mmmix;'
        'print(MODELS.get("MixSSDHead").__name__, mmmix.apply_mix.__name__)'
    )
    assert started(code).splitlines()[-1] == 'MixSSDHead apply_mix'


@pytest.mark.parametrize('arguments', [['--help'], ['configs'], ['init', '--help']])
def test_a_reader_that_has_seen_enough_is_no_error(arguments):
    command = [sys.executable, '-m', 'mmmix', *arguments]
    read, write = os.pipe()
    os.close(read)
    with open(write, 'wb') as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, '')


def test_ctrl_c_ends_it_while_the_stack_is_imported():
    """Whatever a library there makes of exceptions."""
    code = (
        'import os, signal, sys; sys.modules["torch"] = None\n'
        # a job in the background of a script ignores it, and so do its children
        'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
        'from mmmix_command import main; main(["--version"])\n'
        'from mmmix.commands import console\n'
        'def load():\n'
        '    try: os.kill(os.getpid(), signal.SIGINT)\n'
        '    except BaseException: pass\n'
        'console.register_all = load; main(["train"])'
    )
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, '')


def test_ctrl_c_is_a_commands_own_afterwards(monkeypatch, capsys):
    before = signal.getsignal(signal.SIGINT)
    assert main(['configs', 'ssd300_voc.py']) == 0
    assert signal.getsignal(signal.SIGINT) is before
    module = importlib.import_module('mmmix.commands.configs')

    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(module, 'main', stopped)
    assert main(['configs']) == 130
    assert capsys.readouterr().err.endswith('stopped\n')


@pytest.mark.parametrize('name', SUBCOMMANDS)
def test_every_subcommand_takes_its_example(name):
    command = SUBCOMMANDS[name]
    module = importlib.import_module(f'mmmix.commands.{command.module}')
    assert callable(getattr(module, 'run', None) or module.main)
    module.parse_args(shlex.split(command.example))


def has_default(action):
    """Whether an option has a value, other than no, if it is not given."""
    value = action.default
    if value is None or isinstance(value, bool) or value == argparse.SUPPRESS:
        return False
    return isinstance(value, (int, float)) or bool(value)


@pytest.mark.parametrize('name', SUBCOMMANDS)
def test_help_says_every_default(name):
    module = importlib.import_module(f'mmmix.commands.{SUBCOMMANDS[name].module}')
    for action in filter(has_default, parser_of(module.parse_args)._actions):
        if action.dest != 'local_rank':  # of launchers, not for people
            assert 'default' in (action.help or ''), action.option_strings


@pytest.mark.parametrize('name', SUBCOMMANDS)
def test_help_calls_it_as_it_was_called(name, capsys):
    with pytest.raises(SystemExit):
        main([name, '--help'])
    usage = f'usage: mmmix {name} '
    assert capsys.readouterr().out.replace('\n', ' ').startswith(usage)


def test_help_ends_with_the_example(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['configs', '--help'])
    assert not ended.value.code
    out = capsys.readouterr().out
    assert out.startswith('usage: mmmix configs ')
    assert out.splitlines()[-1] == '  mmmix configs ssd300 lossmix'


@pytest.mark.parametrize(
    ('given', 'nearest'),
    [('trian', '`mmmix train`'), ('in_betwen', '`mmmix in-between`'), ('qqq', None)],
)
def test_an_unknown_subcommand_is_told_the_nearest(given, nearest, capsys):
    assert main([given]) == 2
    err = capsys.readouterr().err
    assert repr(given) in err
    assert (nearest in err) if nearest else ('did you mean' not in err)


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['mmmix::ssd300_voc_boxmx.py'], 'ssd300_voc_boxmix.py'),
        (['ssd300_voc_boxmx.py'], 'did you mean mmmix::ssd300_voc_boxmix.py'),
        (['mmmix::ssd300_voc.py', '--mix', 'bxmix'], "Did you mean 'boxmix'?"),
    ],
)
def test_our_errors_are_said_without_a_traceback(arguments, text, capsys, monkeypatch):
    with pytest.raises(SystemExit, match='^1$'):
        main(['train', *arguments])
    err = capsys.readouterr().err
    assert 'mmmix train: ' in err
    assert 'Traceback' not in err
    assert text in err
    monkeypatch.setenv(TRACEBACK, '1')
    with pytest.raises(LookupError if '--mix' in arguments else FileNotFoundError):
        main(['train', *arguments])


@pytest.mark.parametrize(
    ('script', 'arguments'),
    [
        ('train.py', []),
        ('test.py', ['some.pth']),
        ('analysis_tools/browse_mix.py', []),
        ('analysis_tools/study.py', ['--work-dir', 'study']),
    ],
)
def test_scripts_say_our_errors_likewise(
    script, arguments, capsys, monkeypatch, tmp_path
):
    tools = Path(__file__).parents[2] / 'tools'
    monkeypatch.chdir(tmp_path)
    argv = [str(tools / script), 'mmmix::ssd300_voc.py+bxmix', *arguments]
    monkeypatch.setattr(sys, 'argv', argv)
    with pytest.raises(SystemExit, match='^1$'):
        runpy.run_path(argv[0], run_name='__main__')
    err = capsys.readouterr().err
    assert f"{Path(script).name}: no method is called 'bxmix'" in err
    assert 'Traceback' not in err
    monkeypatch.setenv(TRACEBACK, '1')
    with pytest.raises(KeyError, match='bxmix'):
        runpy.run_path(argv[0], run_name='__main__')


@pytest.mark.parametrize(
    ('arguments', 'kind', 'text'),
    [
        (['digits', '--train', '-2'], ValueError, 'train must not be negative, got -2'),
        (['digits', '--out', 'file/x'], OSError, 'file is no folder; choose another'),
        (['digit-patches', '--out', 'file/x'], OSError, 'file is no folder; choose'),
        (['glyphs', '--out', 'file/x'], OSError, 'file is no folder; choose another'),
        (['split', 'none.json'], OSError, 'no annotation file at'),
        (['voc-animals', 'none', '--out', 'file/x'], OSError, 'file is no folder'),
    ],
)
def test_makers_of_data_say_theirs_alike(
    arguments, kind, text, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    Path('file').touch()
    with pytest.raises(SystemExit, match='^1$'):
        main(arguments)
    said = capsys.readouterr().err
    assert said.startswith(f'\nmmmix {arguments[0]}: ')
    assert text in said
    monkeypatch.setenv(TRACEBACK, '1')
    with pytest.raises(kind):
        main(arguments)


def test_errors_of_others_keep_their_traceback(tmp_path):
    bad = tmp_path / 'bad.py'
    bad.write_text('import json\nmodel = json.loads("x")\n')
    with pytest.raises(ValueError, match='Expecting value'):
        main(['train', str(bad)])


def test_configs_lists_all_with_what_they_are(capsys):
    assert main(['configs']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        f'mmmix::{n}' for n in config_names()
    ]
    (line,) = (line for line in lines if 'mmmix::ssd300_voc_boxmix.py' in line)
    assert line.endswith('  SSD300 (VGG-16) on VOC07+12 with BoxMix')
    assert main(['configs', '--methods']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == mix_names()
    assert main(['configs', 'ssd30_voc.py']) == 1
    assert 'ssd300_voc.py' in capsys.readouterr().out


def test_a_config_beside_the_path_is_the_nearest(tmp_path):
    (tmp_path / 'mine_ssd.py').touch()
    near = nearest_configs(str(tmp_path / 'mine_sdd.py'))
    assert near == f'did you mean {tmp_path / "mine_ssd.py"}? Else '
