"""WholeCheckpointHook against mmengine's, whose files in the end are the same."""

from __future__ import annotations

import errno
import os
import zipfile

import pytest
import torch
from mmengine.fileio import LocalBackend, register_backend

from mmmix.engine import WholeCheckpointHook, whole_files
from mmmix.engine.earlier_checkpoints import earlier_checkpoints, note_earlier
from mmmix.engine.hooks.resuming import whole_checkpoint_hook
from tests.engine.hooks.resuming.scripted_runs import files, run


@pytest.mark.parametrize(
    ('metric', 'predict_on', 'best'),
    [
        ('teacher/up', 'teacher', 6),
        ('student/up', 'teacher', 2),
        ('current/up', 'teacher', 2),
        ('up', 'teacher', 6),
        ('up', 'student', 2),
        ('up', None, 2),
    ],
)
@pytest.mark.parametrize('auto', [False, True])
def test_a_teacher_is_not_the_best_before_it_has_started(
    metric, predict_on, best, auto, tmp_path
):
    """In a loop of one model its metrics have no model's name."""
    settings = dict(save_best='auto' if auto else metric)
    prefix = metric.rpartition('/')[0] or None
    model = dict(predict_on=predict_on)
    up = (9, 9, 4, 2)
    run(tmp_path, up=up, prefix=prefix, burn_in=5, checkpoint=settings, model=model)
    assert f'best_{metric.replace("/", "_")}_iter_{best}.pth' in files(tmp_path)


def test_what_a_run_writes_is_its_own_whatever_was_there(tmp_path):
    names = {'iter_8.pth', 'best_up_iter_8.pth', 'iter_9.pth', 'best_up_iter_9.pth'}
    note_earlier(tmp_path, names)
    run(tmp_path)
    assert earlier_checkpoints(tmp_path) == {'iter_9.pth', 'best_up_iter_9.pth'}


@pytest.mark.parametrize(
    ('up', 'checkpoint'),
    [
        ((1, 3, 2, 4), {}),
        ((4, 3, 2, 1), {}),
        ((1, 3, 2, 4), dict(max_keep_ckpts=1)),
        ((1, 3, 2, 4), dict(max_keep_ckpts=-1)),
        ((1, 3, 2, 4), dict(save_best='auto')),
        ((1, 3, 2, 2), dict(save_best=['up', 'down'], rule=['greater', 'less'])),
        ((1, 3, 2, 4), dict(save_best=None)),
        ((1, 3, 2, 4), dict(interval=3)),
    ],
)
def test_ends_with_the_files_of_mmengines(up, checkpoint, tmp_path):
    seen = []
    for kind in ('CheckpointHook', 'WholeCheckpointHook'):
        folder = tmp_path / kind
        down = (1.0, 0.5, 0.2, 0.7)
        runner = run(folder, kind, up=up, down=down, checkpoint=checkpoint)
        info = runner.message_hub.runtime_info
        keys = ('keep_ckpt_ids', 'best_score', 'best_score_up', 'best_score_down')
        saved = [
            torch.load(folder / name, weights_only=False)['meta']['iter']
            for name in files(folder)
        ]
        pointer = (folder / 'last_checkpoint').read_text()
        seen.append(
            (
                files(folder),
                saved,
                os.path.basename(pointer),
                [info.get(key) for key in keys],
                [
                    os.path.basename(info.get(k) or '')
                    for k in ('best_ckpt', 'last_ckpt')
                ],
            )
        )
    assert seen[0] == seen[1]


def test_an_old_file_goes_when_what_follows_it_is_on_the_disk(tmp_path, monkeypatch):
    """At each change of the folder there is a whole last one and a whole best one."""
    seen, folder = [], tmp_path / 'run'

    def look():
        found = [name for name in files(folder) if zipfile.is_zipfile(folder / name)]
        assert found == files(folder)
        pointer = folder / 'last_checkpoint'
        if pointer.exists():
            assert os.path.basename(pointer.read_text()) in found
        seen.append(found)

    replace, remove = os.replace, LocalBackend.remove

    def replaced(source, target):
        replace(source, target)
        look()

    def removed(self, path):
        remove(self, path)
        look()

    monkeypatch.setattr(whole_files.os, 'replace', replaced)
    monkeypatch.setattr(LocalBackend, 'remove', removed)
    run(folder, up=(1, 2, 3, 4))
    had_best = False
    for found in seen:
        best = [name for name in found if name.startswith('best_')]
        assert best or not had_best
        had_best = bool(best)
    # Of four savings two are kept, and one more while the third is written.
    assert max(len([n for n in found if n.startswith('iter')]) for found in seen) == 3


def test_what_a_kill_left_to_delete_is_deleted(tmp_path, monkeypatch):
    folder = tmp_path / 'run'

    def killed(hook, name):
        raise ArithmeticError

    monkeypatch.setattr(WholeCheckpointHook, '_remove', killed)
    with pytest.raises(ArithmeticError):
        run(folder, up=(3, 2, 1, 0))
    monkeypatch.undo()
    assert files(folder) == [
        'best_up_iter_2.pth',
        *(f'iter_{i}.pth' for i in (2, 4, 6)),
    ]
    last = (folder / 'last_checkpoint').read_text()
    run(folder, up=(1, 0), load_from=last, resume=True)
    assert files(folder) == ['best_up_iter_2.pth', 'iter_6.pth', 'iter_8.pth']


def test_a_file_of_another_run_is_left_alone(tmp_path):
    """A run resumed in a folder of its own does not tidy up the first one's."""
    first = tmp_path / 'first'
    run(first, up=(1, 2, 3, 4))
    before = files(first)
    last = str(first / 'iter_6.pth')
    run(tmp_path / 'second', up=(9, 10), load_from=last, resume=True)
    assert files(first) == before


@pytest.mark.parametrize(('room', 'fits'), [(2, True), (1, False)])
def test_a_full_disk(room, fits, tmp_path, monkeypatch):
    """With one checkpoint to spare the oldest goes first; never the last one."""

    def limited(path, content):
        folder = tmp_path / 'run'
        if path.endswith('.pth') and len(list(folder.glob('*.pth'))) >= room:
            raise OSError(errno.ENOSPC, 'No space left on device')
        write(path, content)

    write = whole_files.write_whole
    monkeypatch.setattr(whole_files, 'write_whole', limited)
    options = dict(checkpoint=dict(save_best=None, max_keep_ckpts=room))
    if fits:
        run(tmp_path / 'run', **options)
        assert files(tmp_path / 'run') == ['iter_6.pth', 'iter_8.pth']
        return
    with pytest.raises(
        OSError, match=r'no room for .*iter_4\.pth.*iter_2\.pth, is whole'
    ):
        run(tmp_path / 'run', **options)
    assert files(tmp_path / 'run') == ['iter_2.pth']


def test_on_a_full_disk_the_best_one_before_goes_first(tmp_path, monkeypatch):
    """Room for two checkpoints, a draft of one of them, and the best one."""

    def limited(path, content):
        if path.endswith('.pth') and len(list(folder.glob('*.pth'))) >= 3:
            raise OSError(errno.ENOSPC, 'No space left on device')
        write(path, content)

    write, folder = whole_files.write_whole, tmp_path / 'run'
    monkeypatch.setattr(whole_files, 'write_whole', limited)
    runner = run(folder, up=(1, 2, 3, 4), checkpoint=dict(max_keep_ckpts=1))
    assert files(folder) == ['best_up_iter_8.pth', 'iter_8.pth']
    assert runner.message_hub.get_info('best_score') == 4


def test_a_backend_of_ones_own_writes(tmp_path):
    @register_backend('counted', force=True)
    class Counted(LocalBackend):
        written = []

        def put(self, obj, filepath):
            self.written.append(os.path.basename(filepath))
            super().put(obj, filepath)

    own = dict(backend_args=dict(backend='counted'), save_best=None)
    run(tmp_path / 'run', checkpoint=own)
    assert Counted.written == [f'iter_{i}.pth' for i in (2, 4, 6, 8)]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    whole_files.write_whole(path, b'old')

    def full(handle):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(whole_files.os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        whole_files.write_whole(path, b'new')
    assert path.read_bytes() == b'old'
    assert [p.name for p in tmp_path.iterdir()] == ['file']


def test_drafts_of_killed_processes_are_removed(tmp_path):
    drafts = ['iter_2.pth.12.tmp', 'last_checkpoint.7.tmp', 'results.json.3.tmp']
    others = ['iter_2.pth', 'notes.2024.tmp', 'x.tmp', 'last_checkpoint']
    for name in [*drafts, *others]:
        (tmp_path / name).touch()
    whole_files.remove_drafts(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(others)
    assert whole_checkpoint_hook.POINTER == 'last_checkpoint'
