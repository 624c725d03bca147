"""Folders that are there whole or not at all."""

from __future__ import annotations

import pytest

from mmmix.layouts.writing import whole_folder


def contents(folder):
    found = [path for path in folder.rglob('*') if path.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_text() for p in found}


def fill(out, fails=False, **options):
    with whole_folder(out, **options) as draft:
        draft.mkdir()
        (draft / 'new').write_text('1')
        if fails:
            raise RuntimeError('full')


def test_a_folder_appears_at_the_end(tmp_path):
    with whole_folder(tmp_path / 'out') as draft:
        draft.mkdir()
        assert draft.parent == tmp_path
        assert not (tmp_path / 'out').exists()
    assert [path.name for path in tmp_path.iterdir()] == ['out']


def test_a_folder_is_replaced_only_when_asked_for(tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/old').write_text('0')
    with pytest.raises(FileExistsError, match='remove it or choose another --out'):
        fill(tmp_path / 'out')
    assert contents(tmp_path) == {'out/old': '0'}
    fill(tmp_path / 'out', replace=True)
    assert contents(tmp_path) == {'out/new': '1'}


@pytest.mark.parametrize('replace', [False, True])
def test_an_error_changes_nothing(tmp_path, replace):
    if replace:
        fill(tmp_path / 'out')
    before = contents(tmp_path)
    with pytest.raises(RuntimeError, match='full'):
        fill(tmp_path / 'out', fails=True, replace=replace)
    assert contents(tmp_path) == before


def test_what_is_no_folder_is_said_before_the_work(tmp_path):
    (tmp_path / 'file').write_text('0')
    with pytest.raises(NotADirectoryError, match='file is no folder; choose another'):
        fill(tmp_path / 'file/out')


def test_what_came_meanwhile_is_kept(tmp_path):
    with (  # noqa: PT012
        pytest.raises(OSError, match='out'),
        whole_folder(tmp_path / 'out') as draft,
    ):
        draft.mkdir()
        (tmp_path / 'out').mkdir()
        (tmp_path / 'out/mine').write_text('2')
    assert contents(tmp_path) == {'out/mine': '2'}
