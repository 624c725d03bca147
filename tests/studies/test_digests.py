"""Digests of contents, which results were recorded by."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

from mmmix.studies.digests import blocks, digest
from mmmix.studies.seeds import made_by
from mmmix.studies.trained.transplantation import patches_digest


def test_only_the_bytes_count():
    whole = hashlib.sha256(b'abcd').hexdigest()
    assert digest([b'abcd']) == digest([b'a', b'', b'bcd']) == whole[:16]
    assert digest(iter([b'abcd']), 12) == whole[:12]
    assert digest([b'abdc']) != whole[:16]


def test_a_file_comes_whole(tmp_path):
    content = bytes(range(256)) * (1 << 13) + b'end'
    (tmp_path / 'a').write_bytes(content)
    parts = list(blocks(tmp_path / 'a'))
    assert b''.join(parts) == content
    assert len(parts) == 3
    (tmp_path / 'none').touch()
    assert list(blocks(tmp_path / 'none')) == []


def test_names_and_content_of_patches(tmp_path):
    (tmp_path / 'cat').mkdir()
    for name, content in (('a.png', b'one'), ('b.png', b'three')):
        (tmp_path / 'cat' / name).write_bytes(content)
    paths = sorted((tmp_path / 'cat').iterdir())
    transform = SimpleNamespace(patches=dict(cat=paths), folder=tmp_path)
    said = b'cat/a.png 3 onecat/b.png 5 three'
    assert patches_digest(transform) == hashlib.sha256(said).hexdigest()[:16]


def test_names_and_content_of_sources(tmp_path, monkeypatch):
    (tmp_path / 'x').mkdir()
    (tmp_path / 'x' / 'b.py').write_bytes(b'2')
    (tmp_path / 'a.py').write_bytes(b'1')
    (tmp_path / 'c.py').symlink_to('nowhere')
    monkeypatch.setattr(made_by, '_PACKAGE', tmp_path)
    said = hashlib.sha256(b'a.py\n1x/b.py\n2').hexdigest()[:12]
    assert made_by.present_maker(1)['sources'] == said
