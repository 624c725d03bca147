"""The processes of a study's runs, and the folder that they hold."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from mmmix.apis.launching.folder_lock import lock_folder
from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildProcesses,
    ChildStopped,
    tail,
)
from tests.studies.seeds.stand_ins import wait_for


def alive(pid):
    """Whether a process runs; one that ended but was not reaped does not."""
    status = Path(f'/proc/{pid}/stat')
    try:
        return status.read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_children_get_threads_and_devices(tmp_path):
    code = (
        'import os, time; time.sleep(0.2); '
        "print(os.environ['OMP_NUM_THREADS'], os.environ['CUDA_VISIBLE_DEVICES'])"
    )
    children = ChildProcesses(threads=3, gpus=['6', '7'])
    logs = [tmp_path / f'{index}.log' for index in range(3)]
    threads = [
        threading.Thread(target=children.call, args=([sys.executable, '-c', code], log))
        for log in logs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [log.read_text().split() for log in logs]
    assert [threads for threads, _ in seen] == ['3'] * 3
    assert {gpu for _, gpu in seen} == {'6', '7'}


def test_stopped_children_end_with_what_they_started(tmp_path):
    code = (
        'import subprocess, sys, time\n'
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        'inner = subprocess.Popen(sleep)\n'
        'print(inner.pid, flush=True)\n'
        'time.sleep(60)'
    )
    children = ChildProcesses()
    outcome = []

    def call():
        try:
            children.call([sys.executable, '-c', code], tmp_path / 'log')
        except ChildFailed as error:
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: (tmp_path / 'log').exists() and tail(tmp_path / 'log'))
    assert children.logs() == [tmp_path / 'log']
    inner = int(tail(tmp_path / 'log'))
    children.stop()
    thread.join()
    assert isinstance(outcome[0], ChildStopped)
    wait_for(lambda: not alive(inner))
    with pytest.raises(ChildStopped):
        children.call([sys.executable, '-c', ''], tmp_path / 'log')


def test_a_command_is_ended_where_there_are_no_groups(tmp_path, monkeypatch):
    """As on Windows, which has none."""
    monkeypatch.delattr(os, 'killpg')
    children, log = ChildProcesses(), tmp_path / 'log'
    code = "import time; print('begun', flush=True); time.sleep(60)"
    outcome = []

    def call():
        with pytest.raises(ChildStopped) as stop:
            children.call([sys.executable, '-c', code], log)
        outcome.append(str(stop.value))

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: log.is_file() and log.read_text() == 'begun\n')
    children.stop()
    thread.join(30)
    assert outcome == ['stopped']


def test_a_folder_in_use_is_refused(tmp_path):
    with (
        lock_folder(tmp_path / 'w'),
        pytest.raises(RuntimeError, match=rf'in use by process {os.getpid()} on \S+ '),
    ):
        lock_folder(tmp_path / 'w')
    lock_folder(tmp_path / 'w').close()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / 'file').touch()
    for path in ('file', 'file/deep'):
        with pytest.raises(
            NotADirectoryError, match='no folder; choose another --work-dir'
        ):
            lock_folder(tmp_path / path)


def test_a_run_left_behind_still_holds_the_folder(tmp_path):
    handle = lock_folder(tmp_path / 'w')
    children = ChildProcesses(pass_fds=[handle.fileno()])
    code = 'import time; print(1, flush=True); time.sleep(60)'
    thread = threading.Thread(
        target=lambda: pytest.raises(
            ChildStopped, children.call, [sys.executable, '-c', code], tmp_path / 'log'
        )
    )
    thread.start()
    wait_for(lambda: (tmp_path / 'log').exists() and tail(tmp_path / 'log'))
    handle.close()
    with pytest.raises(RuntimeError, match='left running'):
        lock_folder(tmp_path / 'w')
    children.stop()
    thread.join()
    lock_folder(tmp_path / 'w').close()
