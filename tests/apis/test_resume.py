"""Which checkpoint a run continues from."""

from __future__ import annotations

import os

import pytest
import torch

from mmmix.apis.resume import (
    DamagedCheckpointError,
    existing_checkpoint,
    intact_checkpoints,
    last_checkpoint,
)


@pytest.fixture
def run(tmp_path):
    """A working directory after three epochs, with more in it."""
    for age, name in enumerate(['best_mAP_epoch_1', 'epoch_2', 'epoch_10', 'iter_9']):
        path = tmp_path / f'{name}.pth'
        torch.save({'epoch': name}, path)
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


def test_cut_short(run):
    path = run / 'epoch_10.pth'
    path.write_bytes(path.read_bytes()[:77])
    with pytest.raises(DamagedCheckpointError) as caught:
        last_checkpoint(run)
    message = str(caught.value)
    assert f'{path} has 77 bytes and is cut short' in message
    assert 'newest first: iter_9.pth, epoch_2.pth.' in message
    assert message.endswith(f'--resume {run}/iter_9.pth')


def test_named_file_is_missing(run):
    (run / 'epoch_10.pth').unlink()
    with pytest.raises(DamagedCheckpointError, match=r'does not exist.*iter_9\.pth'):
        last_checkpoint(run)


@pytest.mark.parametrize('content', [None, ''])
def test_checkpoints_but_no_name(content, run):
    pointer = run / 'last_checkpoint'
    pointer.unlink() if content is None else pointer.write_text(content)
    with pytest.raises(DamagedCheckpointError, match=r'--resume .*iter_9\.pth'):
        last_checkpoint(run)


def test_only_a_damaged_checkpoint(tmp_path):
    (tmp_path / 'epoch_1.pth').write_bytes(b'PK')
    with pytest.raises(DamagedCheckpointError, match='no other intact checkpoint'):
        last_checkpoint(tmp_path)


def test_given_path(run):
    given = f'{run}/epoch_2.pth'
    assert existing_checkpoint(given) == given
    assert existing_checkpoint('https://host/x.pth') == 'https://host/x.pth'
    with pytest.raises(FileNotFoundError, match=r'epoch_3\.pth.*iter_9\.pth'):
        existing_checkpoint(f'{run}/epoch_3.pth')
