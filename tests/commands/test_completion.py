"""What a shell completes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mmmix.commands import predict
from mmmix.commands.completion import main, parser_of, script
from mmmix.commands.subcommands import SUBCOMMANDS


@pytest.fixture(scope='module')
def bash_script(tmp_path_factory):
    path = tmp_path_factory.mktemp('completion') / 'mmmix'
    path.write_text(script('bash'))
    return path


def completed(path, *words):
    """What bash offers for the last of the words."""
    code = f'source {path}; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}'
    code += '; compopt() { :; }; _shtab_mmmix; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '-c', code], capture_output=True, text=True)
    return done.stdout.split()


def test_subcommands_and_their_options(bash_script):
    assert set(completed(bash_script, 'mmmix', "''")) >= set(SUBCOMMANDS)
    assert completed(bash_script, 'mmmix', 'pre') == ['predict']
    assert completed(bash_script, 'mmmix', 'predict', '--sc') == ['--score-thr']
    options = completed(bash_script, 'mmmix', 'init', '--')
    assert {'--unlabelled', '--target', '--weights'} <= set(options)
    assert '--score-thr' not in options


def test_choices_of_an_option(bash_script):
    found = completed(bash_script, 'mmmix', 'init', 'data', '--format', 'v')
    assert found == ['voc']


def test_a_parser_is_taken_as_it_is_made():
    options = parser_of(predict.parse_args).format_help()
    assert '--score-thr' in options
    # and parsing goes on as before
    assert predict.parse_args(['images', 'mine.py']).config == 'mine.py'


def test_without_its_package_the_line_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, 'shtab', None)
    with pytest.raises(ModuleNotFoundError, match='pip install shtab'):
        main(['zsh'])
