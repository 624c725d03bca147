"""Writing: once, all or nothing, and nobody else's files."""

from __future__ import annotations

import itertools
import json
import shutil

import pytest

from mmmix.testing.digits import SPLITS, DigitsSettings
from mmmix.testing.digits import generate as generate_module
from mmmix.testing.digits.generate import MANIFEST, generate, read_manifest
from mmmix.testing.digits.scene import make_scene

SMALL = DigitsSettings(train=2, val=1, test=1)


@pytest.fixture
def small(tmp_path):
    out = tmp_path / 'digits'
    generate(SMALL, out, progress=False)
    return out


def test_manifest_is_complete_and_describes_the_data(written, voc, counts):
    manifest = read_manifest(written)
    assert manifest['complete'] is True
    assert manifest['images'] == 13
    assert manifest['boxes'] == sum(
        len(voc[split].get_data_info(index)['instances'])
        for split in SPLITS
        for index in range(counts[split])
    )
    assert manifest['content']['domain'] == 'source'
    assert manifest['coco'] is True


def test_data_that_is_there_is_left_alone(small, monkeypatch):
    monkeypatch.setattr(generate_module, 'make_scene', fail)
    assert generate(SMALL, small, progress=False) is False
    assert generate(SMALL, str(small), progress=False) is False


def fail(*_):
    raise RuntimeError('stopped')


def test_coco_is_added_to_data_without_it(small, contents):
    before = contents(small)
    assert generate(SMALL, small, coco=True, progress=False) is True
    after = contents(small)
    assert {name for name in after if name not in before} == {
        f'annotations/{split}.json' for split in SPLITS
    }
    assert all(after[name] == before[name] for name in before if name != MANIFEST)
    assert generate(SMALL, small, progress=False) is False


def test_other_settings_need_force(small, contents):
    other = DigitsSettings(train=1, val=0, test=0, seed=5)
    before = contents(small)
    with pytest.raises(FileExistsError, match='other settings.*--force'):
        generate(other, small, progress=False)
    assert contents(small) == before
    assert generate(other, small, force=True, progress=False) is True
    assert read_manifest(small)['content']['seed'] == 5
    assert len(list((small / 'JPEGImages').iterdir())) == 1


@pytest.mark.parametrize('damage', ['no manifest', 'not complete', 'cut off'])
def test_half_a_data_set_is_made_anew(small, damage, contents):
    before = contents(small)
    manifest = small / MANIFEST
    if damage == 'no manifest':
        manifest.unlink()
    elif damage == 'not complete':
        content = json.loads(manifest.read_text())
        manifest.write_text(json.dumps({**content, 'complete': False}))
    else:
        manifest.write_text(manifest.read_text()[:40])
    shutil.rmtree(small / 'JPEGImages')
    assert generate(SMALL, small, progress=False) is True
    assert contents(small) == before


@pytest.mark.parametrize('force', [False, True])
def test_a_crash_leaves_the_old_data_and_nothing_else(
    small, monkeypatch, force, contents
):
    before = contents(small)
    calls = itertools.count()

    def crash_at_second(*args):
        return fail() if next(calls) == 1 else make_scene(*args)

    monkeypatch.setattr(generate_module, 'make_scene', crash_at_second)
    out = small if force else small.with_name('new')
    with pytest.raises(RuntimeError, match='stopped'):
        generate(SMALL, out, force=force, progress=False)
    assert [path.name for path in small.parent.iterdir()] == ['digits']
    assert contents(small) == before


def test_leftovers_of_a_killed_run_are_cleared(small):
    leftover = small.with_name('.digits.part')
    (leftover / 'JPEGImages').mkdir(parents=True)
    (leftover / 'JPEGImages/train_00077.jpg').write_bytes(b'half')
    generate(SMALL, small, force=True, progress=False)
    assert not leftover.exists()
    assert not (small / 'JPEGImages/train_00077.jpg').exists()


@pytest.mark.parametrize('name', ['notes.txt', 'JPEGImages/000005.jpg'])
def test_a_folder_with_other_files_is_never_replaced(tmp_path, name):
    path = tmp_path / 'mine' / name
    path.parent.mkdir(parents=True)
    path.write_text('precious')
    with pytest.raises(FileExistsError, match=f'no generated digits, such as {name}'):
        generate(SMALL, tmp_path / 'mine', force=True, progress=False)
    assert path.read_text() == 'precious'
