"""What processes of one run agree upon, in processes of one group."""

from __future__ import annotations

import multiprocessing

import pytest
import torch

from mmmix.apis.launching.agreement import (
    any_process,
    check_seen_by_all,
    decided_by_first,
)


def _fail():
    raise ValueError('the first one says no')


def _caught(call):
    try:
        return call()
    except Exception as error:
        return f'{type(error).__name__}: {error}'


def _process(rank, folder, results):
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    seen = folder / 'seen'
    results.put(
        (
            rank,
            decided_by_first(lambda: f'of {rank}'),
            _caught(lambda: decided_by_first(_fail)),
            any_process(rank == 1),
            any_process(False),
            _caught(lambda: check_seen_by_all(str(seen))),
            # As on a machine without the storage of the other one.
            _caught(lambda: check_seen_by_all(str(seen) if rank else '/nowhere/x.pth')),
        )
    )
    torch.distributed.destroy_process_group()


def test_two_processes(tmp_path):
    (tmp_path / 'seen').touch()
    context = multiprocessing.get_context('fork')
    results = context.Queue()
    processes = [
        context.Process(target=_process, args=(rank, tmp_path, results))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    got = [results.get(timeout=120) for _ in processes]
    answers = {rank: rest for rank, *rest in got}
    for process in processes:
        process.join()
    for *first, blind in answers.values():
        assert first == ['of 0', 'ValueError: the first one says no', True, False, None]
        assert blind.startswith('FileNotFoundError: ')
        assert 'storage that all of them share' in blind
    assert '/nowhere/x.pth' in answers[0][-1]


def test_one_process(tmp_path):
    assert decided_by_first(lambda: 3) == 3
    with pytest.raises(ValueError, match='says no'):
        decided_by_first(_fail)
    assert any_process(True)
    assert not any_process(False)
    check_seen_by_all('s3://bucket/iter_2.pth')
    with pytest.raises(FileNotFoundError, match='is not there on'):
        check_seen_by_all(str(tmp_path / 'iter_2.pth'))
