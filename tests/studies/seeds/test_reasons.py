"""Why commands failed."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.reasons import reason

TORCHRUN = """
Traceback (most recent call last):
  File "train.py", line 3, in <module>
[rank1]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB
RuntimeError: [../gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]
E1125 failed (exitcode: 1) local_rank: 1 (pid: 7) of binary: python
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
"""


@pytest.mark.parametrize(
    ('text', 'code', 'expected'),
    [
        ('a\nValueError: no such key\n', 1, 'ValueError: no such key'),
        (
            'a\nmmmix.apis.x.UnsafeCheckpointError: no\nb',
            1,
            'mmmix.apis.x.UnsafeCheckpointError: no',
        ),
        ('KeyError: 1\nDuring handling\nTypeError: 2\n', 1, 'TypeError: 2'),
        (
            'train.py: error: unrecognized arguments: --x',
            2,
            'train.py: error: unrecognized arguments: --x',
        ),
        ('loss: 1.0', -9, 'ended by SIGKILL, as where memory runs out'),
        ('loss: 1.0', 137, 'ended by SIGKILL, as where memory runs out'),
        ('loss: 1.0', 143, 'ended by SIGTERM'),
        ('loss: 1.0', 255, 'loss: 1.0'),
        ('loss: 1.0', None, 'loss: 1.0'),
        ('', 1, 'it said nothing'),
        (
            TORCHRUN,
            1,
            'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB',
        ),
        (
            'RuntimeError: Connection closed by peer',
            1,
            'RuntimeError: Connection closed by peer',
        ),
    ],
)
def test_reasons(text, code, expected):
    lines = [line for line in text.splitlines() if line.strip()]
    assert reason(lines, code) == expected


def test_long_reasons_are_cut():
    assert reason([f'ValueError: {"x" * 500}'], 1) == f'ValueError: {"x" * 188}...'
