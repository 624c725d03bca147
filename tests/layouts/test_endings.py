"""Files that are found whatever the case of their ending is."""

from __future__ import annotations

import pytest

from mmmix.layouts.endings import in_any_case


@pytest.mark.parametrize('ending', ['.txt', '.TXT', '.Txt'])
def test_an_ending_may_be_in_any_case(tmp_path, ending):
    (tmp_path / f'a.b{ending}').touch()
    (tmp_path / 'A.b.txt').touch()  # the rest of a name is as it is
    assert in_any_case(f'{tmp_path}/a.b.txt') == f'{tmp_path}/a.b{ending}'


def test_a_file_of_the_very_name_comes_first(tmp_path):
    for ending in ('.TXT', '.Txt', '.txt'):
        (tmp_path / f'a{ending}').touch()
    assert in_any_case(f'{tmp_path}/a.TXT') == f'{tmp_path}/a.TXT'
    (tmp_path / 'a.Txt').unlink()
    assert in_any_case(f'{tmp_path}/a.Txt') == f'{tmp_path}/a.txt'


def test_what_is_not_there_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ('a.txt', 'no/a.txt', 's3://bucket/a.txt'):
        assert in_any_case(path) == path
    (tmp_path / 'a.TXT').mkdir()
    assert in_any_case('b.txt') == 'b.txt'
