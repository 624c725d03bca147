"""Which checkpoint a run continues from."""

from __future__ import annotations

import os
import shlex
import shutil

import pytest
import torch

from mmmix.apis.checkpoints.resume import (
    DamagedCheckpointError,
    begin_run,
    best_checkpoints,
    check_resumable,
    existing_checkpoint,
    intact_checkpoints,
    last_checkpoint,
    newest_checkpoint,
    refuse_earlier,
    resume_advice,
)
from mmmix.engine.earlier_checkpoints import earlier_checkpoints, note_own

SEVENS = torch.full((64,), 7.0).numpy().tobytes()


@pytest.fixture
def run(tmp_path):
    """A working directory after three epochs, with more in it."""
    for age, name in enumerate(['best_mAP_epoch_1', 'epoch_2', 'epoch_10', 'iter_9']):
        path = tmp_path / f'{name}.pth'
        torch.save({'epoch': name, 'weight': torch.full((64,), 7.0)}, path)
        os.utime(path, (1000 + age, 1000 + age))
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/epoch_10.pth\n')
    return tmp_path


def test_intact_checkpoints_newest_first(run):
    path = run / 'epoch_11.pth'
    path.write_bytes((run / 'epoch_10.pth').read_bytes()[:-50])
    assert [path.name for path in intact_checkpoints(run)] == [
        *('iter_9.pth', 'epoch_10.pth', 'epoch_2.pth')
    ]


def test_last_checkpoint_is_the_named_one(run):
    assert last_checkpoint(run) == f'{run}/epoch_10.pth'


def test_moved_working_directory(run, tmp_path_factory):
    moved = tmp_path_factory.mktemp('moved') / 'run'
    run.rename(moved)
    assert last_checkpoint(moved) == f'{moved}/epoch_10.pth'


def test_url_is_left_to_mmengine(run):
    (run / 'last_checkpoint').write_text('s3://bucket/epoch_3.pth')
    assert last_checkpoint(run) == 's3://bucket/epoch_3.pth'


@pytest.mark.parametrize('exists', [True, False])
def test_nothing_saved_yet(exists, tmp_path):
    assert last_checkpoint(tmp_path if exists else tmp_path / 'none') is None


def damaged(path, how):
    """Break a file in one of the ways that files break."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            'cut': content[:77],
            'empty': b'',
            'hole': content.replace(SEVENS, bytes(256)),
            'tail': content[:middle],
        }[how]
    )


@pytest.mark.parametrize('how', ['cut', 'empty', 'hole', 'tail'])
def test_the_newest_whole_one_takes_the_place_of_a_broken_one(how, run):
    path = run / 'epoch_10.pth'
    damaged(path, how)
    found, remark = newest_checkpoint(run)
    assert found == f'{run}/iter_9.pth'
    size = path.stat().st_size
    state = 'damaged in epoch_10/data/0' if how == 'hole' else 'cut short'
    assert f'{path} has {size} bytes and is {state}' in remark
    assert remark.endswith(f'going on from {found}, which is whole.')
    damaged(run / 'iter_9.pth', 'cut')
    assert last_checkpoint(run) == f'{run}/epoch_2.pth'


def test_named_file_is_missing(run):
    (run / 'epoch_10.pth').unlink()
    found, remark = newest_checkpoint(run)
    assert found == f'{run}/iter_9.pth'
    assert 'epoch_10.pth does not exist' in remark


@pytest.mark.parametrize('content', [None, ''])
def test_checkpoints_but_no_name(content, run):
    pointer = run / 'last_checkpoint'
    pointer.unlink() if content is None else pointer.write_text(content)
    found, remark = newest_checkpoint(run)
    assert found == f'{run}/iter_9.pth'
    assert f'{pointer} names none' in remark


def test_a_checkpoint_newer_than_its_name(run):
    """A kill between a checkpoint and the pointer to it."""
    later = (run / 'last_checkpoint').stat().st_mtime_ns + 10**9
    shutil.copy(run / 'epoch_2.pth', run / 'epoch_11.pth')
    os.utime(run / 'epoch_11.pth', ns=(later, later))
    found, remark = newest_checkpoint(run)
    assert found == f'{run}/epoch_11.pth'
    assert 'epoch_11.pth is newer' in remark
    damaged(run / 'epoch_11.pth', 'cut')
    os.utime(run / 'epoch_11.pth', ns=(later, later))
    assert newest_checkpoint(run) == (f'{run}/epoch_10.pth', '')


def test_a_stop_in_an_epoch_is_newer_by_its_time(run):
    later = (run / 'last_checkpoint').stat().st_mtime_ns + 10**9
    os.utime(run / 'iter_9.pth', ns=(later, later))
    assert last_checkpoint(run) == f'{run}/iter_9.pth'


def test_a_copy_with_other_times_goes_on_from_the_same(run):
    """Numbers count among epochs, whenever a copy has written which of them."""
    later = (run / 'last_checkpoint').stat().st_mtime_ns + 10**9
    for name, time in (('epoch_3', later - 10**8), ('epoch_2', later)):
        path = run / f'{name}.pth'
        shutil.copy(run / 'epoch_10.pth', path)
        os.utime(path, ns=(time, time))
    assert newest_checkpoint(run) == (f'{run}/epoch_10.pth', '')
    damaged(run / 'epoch_10.pth', 'cut')
    assert last_checkpoint(run) == f'{run}/epoch_3.pth'
    names = [path.name for path in intact_checkpoints(run)]
    assert names == ['epoch_3.pth', 'epoch_2.pth', 'iter_9.pth']


def test_what_an_earlier_run_left_is_the_last_resort(run):
    old = run / 'epoch_80.pth'
    shutil.copy(run / 'epoch_2.pth', old)
    os.utime(old, (900, 900))
    assert last_checkpoint(run) == f'{run}/epoch_10.pth'
    damaged(run / 'epoch_10.pth', 'cut')
    (run / 'iter_9.pth').unlink()
    assert last_checkpoint(run) == f'{run}/epoch_2.pth'
    (run / 'epoch_2.pth').unlink()
    assert last_checkpoint(run) == str(old)


def test_a_run_that_begins_anew_has_no_part_in_what_is_there(run):
    files = sorted(run.glob('*.pth'))
    begin_run(run, None)
    assert newest_checkpoint(run) == (None, '')
    assert sorted(run.glob('*.pth')) == files
    named = r'those there are of a run before it.*--resume .*/iter_9\.pth'
    with pytest.raises(ValueError, match=named):
        refuse_earlier(run)
    own = run / 'epoch_2.pth'  # written over the old one, killed before its name
    shutil.copy(run / 'epoch_10.pth', own)
    note_own(run, own.name)
    assert last_checkpoint(run) == str(own)
    (run / 'last_checkpoint').write_text(str(own))
    damaged(own, 'cut')
    with pytest.raises(DamagedCheckpointError):
        last_checkpoint(run)


def test_a_run_goes_on_from_a_given_checkpoint_of_its_folder(run):
    """Those before it stay the last resort, those after it are of another course."""
    begin_run(run, f'{run}/epoch_10.pth')
    assert earlier_checkpoints(run) == {'iter_9.pth'}
    begin_run(run, f'{run}/epoch_2.pth')
    assert newest_checkpoint(run) == (f'{run}/epoch_2.pth', '')
    shutil.copy(run / 'epoch_10.pth', run / 'epoch_3.pth')
    (run / 'last_checkpoint').write_text(f'{run}/epoch_3.pth')
    damaged(run / 'epoch_3.pth', 'cut')
    assert last_checkpoint(run) == f'{run}/epoch_2.pth'


def test_a_checkpoint_is_given_from_home_and_another_is_a_link(run, monkeypatch):
    (run / 'epoch_10.pth').rename(run / 'moved.pth')
    (run / 'epoch_10.pth').symlink_to(run / 'moved.pth')
    monkeypatch.setenv('HOME', str(run))
    begin_run(run, '~/epoch_2.pth')
    assert earlier_checkpoints(run) == {'iter_9.pth', 'epoch_10.pth'}


def test_a_run_goes_on_from_a_given_checkpoint_of_another_folder(run, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp('elsewhere') / 'epoch_5.pth'
    shutil.copy(run / 'epoch_10.pth', elsewhere)
    begin_run(run, str(elsewhere))
    assert last_checkpoint(run) is None


def test_the_best_of_an_earlier_run_are_none_of_the_next(run):
    old, new = run / 'best_mAP_epoch_1.pth', run / 'best_mAP_epoch_4.pth'
    assert best_checkpoints(run) == [old]
    begin_run(run, None)
    shutil.copy(old, new)
    assert best_checkpoints(run) == [new]
    shutil.copy(run / 'epoch_10.pth', run / 'epoch_4.pth')
    begin_run(run, f'{run}/epoch_4.pth')  # which is its own
    assert best_checkpoints(run) == [new]
    note_own(run, old.name)  # that it has written anew
    assert best_checkpoints(run) == [old, new]
    begin_run(run, None)
    assert best_checkpoints(run) == []
    begin_run(run, f'{run}/epoch_10.pth')  # the earlier run, after all
    assert best_checkpoints(run) == [old, new]


def test_best_checkpoints_alone_keep_no_run_from_its_beginning(tmp_path):
    torch.save({}, tmp_path / 'best_mAP_epoch_1.pth')
    begin_run(tmp_path, None)
    assert earlier_checkpoints(tmp_path) == {'best_mAP_epoch_1.pth'}
    refuse_earlier(tmp_path)


def test_a_run_that_goes_on_from_its_last_checkpoint_changes_nothing(run):
    (run / 'iter_9.pth').unlink()
    pointer = run / 'last_checkpoint'
    before = pointer.stat()
    begin_run(run, f'{run}/epoch_10.pth')
    assert earlier_checkpoints(run) == set()
    assert pointer.stat() == before
    pointer.write_text('s3://bucket/epoch_3.pth')
    begin_run(run, 's3://bucket/epoch_3.pth')
    assert last_checkpoint(run) == 's3://bucket/epoch_3.pth'
    begin_run(run, None)
    assert last_checkpoint(run) is None


def test_only_damaged_checkpoints(run):
    for path in run.glob('*.pth'):
        path.write_bytes(b'PK')
    with pytest.raises(DamagedCheckpointError) as caught:
        last_checkpoint(run)
    assert f'{run}/epoch_10.pth has 2 bytes and is cut short' in str(caught.value)
    assert 'no other intact checkpoint' in str(caught.value)
    (run / 'last_checkpoint').unlink()
    with pytest.raises(DamagedCheckpointError, match=r'iter_9\.pth.*Move them away'):
        last_checkpoint(run)


def test_given_path(run):
    given = f'{run}/epoch_2.pth'
    assert existing_checkpoint(given) == given
    assert existing_checkpoint('https://host/x.pth') == 'https://host/x.pth'
    with pytest.raises(FileNotFoundError, match=r'epoch_3\.pth.*iter_9\.pth'):
        existing_checkpoint(f'{run}/epoch_3.pth')


def test_what_to_type_is_quoted(run):
    folder = run / 'my run'
    folder.mkdir()
    shutil.copy(run / 'epoch_2.pth', folder)
    said = resume_advice(folder).partition('--resume ')[2]
    assert shlex.split(said) == [f'{folder}/epoch_2.pth']
    with pytest.raises(ValueError, match='cannot be resumed') as caught:
        check_resumable({}, f'{folder}/epoch_2.pth')
    said = str(caught.value).partition('--cfg-options ')[2]
    assert shlex.split(said) == [f'load_from={folder}/epoch_2.pth']


def test_the_folder_of_a_run_is_no_checkpoint(run, tmp_path_factory):
    """deepspeed writes a folder for each of them."""
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match='is the folder of a run') as caught:
            existing_checkpoint(str(run))
        assert resume_advice(run) in str(caught.value)
        (run / 'last_checkpoint').unlink(missing_ok=True)
    other = tmp_path_factory.mktemp('epoch_1.pth')
    (other / 'latest').touch()
    assert existing_checkpoint(str(other)) == str(other)
