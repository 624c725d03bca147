"""The commands that make the runs of a study."""

from __future__ import annotations

import sys
from pathlib import Path

from mmmix.studies.seeds.runs import Commands, Run


def test_commands():
    commands = Commands(Path('t'), ['a.b=1', 'c=[2,3]'], ['--amp'])
    run = Run('mmmix::demo/ssd_digits.py', 4, Path('w/x'))
    assert run.name == 'ssd_digits/seed_4'
    options = ['--cfg-options', 'a.b=1', 'c=[2,3]']
    assert commands.train(run, resume=True) == [
        *(sys.executable, 't/train.py', 'mmmix::demo/ssd_digits.py'),
        *('--work-dir', 'w/x', '--seed', '4', '--amp', '--resume'),
        *options,
    ]
    assert '--resume' not in commands.train(run, resume=False)
    assert commands.test(run, 'e.pth', Path('w/x/test')) == [
        *(sys.executable, 't/test.py', 'mmmix::demo/ssd_digits.py', 'e.pth'),
        *('--work-dir', 'w/x/test'),
        *options,
    ]


def test_data_that_a_training_may_have_its_test_may_have_too():
    """Or the run would fail when all is trained."""
    commands = Commands(Path('t'), train_args=['--amp', '--no-check'])
    run = Run('a.py', 4, Path('w/x'))
    tested = ['a.py', 'e.pth', '--work-dir', 'w/y', '--no-check']
    assert commands.test(run, 'e.pth', Path('w/y'))[2:] == tested


def test_commands_of_several_processes():
    run = Run('x/a.py', 4, Path('w/x'))
    start = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    many = Commands(Path('t'), processes=8)
    assert many.train(run, resume=False) == [
        *(*start, '--nproc_per_node=8', 't/train.py', '--launcher', 'pytorch'),
        *('x/a.py', '--work-dir', 'w/x', '--seed', '4'),
    ]
    assert many.test(run, 'e.pth', Path('w/y')) == [
        *(*start, '--nproc_per_node=8', 't/test.py', '--launcher', 'pytorch'),
        *('x/a.py', 'e.pth', '--work-dir', 'w/y'),
    ]
