"""Arguments that are read before anything is done."""

from __future__ import annotations

import argparse

import pytest
import torch
from mmengine.config import DictAction

from mmmix.apis.arguments import (
    each_once,
    read_count,
    read_device,
    read_score,
    read_seed,
)
from mmmix.apis.configs.config_reading import parsed_options
from mmmix.commands import (
    browse_alignment,
    browse_mix,
    calibration,
    in_between,
    train,
    transplant,
)
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.robustness.perturbations import parse_perturbations


@pytest.mark.parametrize('text', ['-1', '4294967296', '1.5', 'x', ''])
def test_a_seed_is_what_numpy_takes(text, capsys):
    with pytest.raises(ValueError, match='a whole number from 0 to 4294967295, got'):
        read_seed(text)
    with pytest.raises(SystemExit, match='^2$'):
        train.parse_args(['a.py', f'--seed={text}'])
    assert 'argument --seed: expected a whole number' in capsys.readouterr().err
    assert train.parse_args(['a.py', '--seed', '4294967295']).seed == 2**32 - 1


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('my run/x.pth', 'my run/x.pth'),
        ("'my run (1)/x.pth'", 'my run (1)/x.pth'),
        ('[big dog, cat ,"old hen"]', ['big dog', 'cat', 'old hen']),
        ('big dog,cat', ['big dog', 'cat']),
        ('1 2', '1 2'),
    ],
)
def test_spaces_inside_of_a_value_stay(text, value):
    assert parsed_options([f'a.b={text}']) == {'a.b': value}


@pytest.mark.parametrize(
    'text',
    [
        *('1', '-1e-3', 'True', 'None', 'word', ' 4 ', '1, 2,3', '[a, b , c]', '[]'),
        *('( 1 , 2 )', '[(1, 2.5), [a, b], c]', '[( 1,2 ), ( 3, 4 )]', "'x'", '(1,)'),
    ],
)
def test_all_else_is_read_as_mmengine_does(text):
    parser = argparse.ArgumentParser()
    parser.add_argument('--stock', nargs='+', action=DictAction)
    stock = parser.parse_args(['--stock', f'a={text}']).stock
    assert parsed_options([f'a={text}']) == stock


@pytest.mark.parametrize('text', ['0', '-3', 'two'])
def test_a_count_is_at_least_1(text):
    with pytest.raises(ValueError, match='at least 1, got'):
        read_count(text)
    assert read_count('12') == 12


def test_a_device_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert [read_device(t) for t in ('cpu', 'cuda', 'cuda:1')] == [
        *('cpu', 'cuda', 'cuda:1')
    ]
    with pytest.raises(ValueError, match='expected cpu, cuda or cuda:N, got .blah'):
        read_device('blah')
    with pytest.raises(ValueError, match='cuda:2 is not there: this machine shows 2'):
        read_device('cuda:2')


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--device', 'blah'], 'argument --device: expected cpu, cuda'),
        (['--device', 'cuda:99'], 'argument --device: cuda:99 is not there'),
        (['--batch-size', '0'], 'argument --batch-size: expected a whole number'),
        (['--limit', '0'], 'argument --limit: expected a whole number'),
    ],
)
def test_studies_of_models_refuse_them_in_a_line(words, said, capsys):
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    with pytest.raises(SystemExit, match='^2$'):
        parser.parse_args(['a.py@b.pth', '--out', 'x', *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize('words', [['--num-batches', '0'], ['--max-images', '-1']])
@pytest.mark.parametrize('command', [browse_alignment, browse_mix])
def test_commands_that_count_refuse_none_in_a_line(command, words, capsys):
    with pytest.raises(SystemExit, match='^2$'):
        command.parse_args(['a.py', *words])
    said = f'argument {words[0]}: expected a whole number of at least 1, got'
    assert said in capsys.readouterr().err


def test_scores():
    assert [read_score(text) for text in ('0', '1', '.3')] == [0, 1, 0.3]
    for text in ('nan', '30', '-0.1', 'high'):
        with pytest.raises(ValueError, match=f"number from 0 to 1, got '{text}'"):
            read_score(text)


def test_values_that_would_have_one_name_are_refused():
    """Results are named, and found again, by six digits of a value."""
    assert each_once([0.3, 0.3, 1 / 3], '--lams') == [0.3, 1 / 3]
    assert each_once(['cut', 'blend', 'cut'], '--ways') == ['cut', 'blend']
    for name, command, values in (
        ('--lams', in_between, ['0', '0.33333331', '0.33333332']),
        ('--ious', calibration, ['0.5', '0.50000001']),
        ('--ious', transplant, ['0.50000001', '0.5', '--patches', 'x']),
    ):
        with pytest.raises(ValueError, match=f'{name}: expected values that differ'):
            command.parse_args(['a.py@b.pth', '--out', 'x', name, *values])
    with pytest.raises(ValueError, match='--perturbations: expected values that'):
        parse_perturbations(['gaussian:0.1,0.10000001'])
