"""Processes that draw differently make the same passes: no hang, equal weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .distributed_steps import STEPS

PROGRAM = Path(__file__).with_name('distributed_steps.py')
ROOT = Path(__file__).resolve().parents[3]
QUICK = ('FCOS', 'RetinaNet', 'SSD', 'YOLOV3-BoxMix')
REST = (
    *('ATSS', 'RTMDet', 'YOLOX', 'DETR', 'DINO', 'CascadeRCNN'),
    *('FasterRCNN', 'FasterRCNN-BoxMix', 'SSD-BoxMix', 'YOLOV3'),
)


def steps_of(folder, names, world=2):
    """What each process reports of each detector."""
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    outs = [folder / f'rank_{rank}.jsonl' for rank in range(world)]
    children = [
        subprocess.Popen(
            [sys.executable, PROGRAM, str(rank), str(world), folder / 'store', out]
            + list(names),
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, out in enumerate(outs)
    ]
    errors = [child.communicate()[1] for child in children]
    for child, error in zip(children, errors):
        assert child.returncode == 0, error[-3000:]
    return [list(map(json.loads, out.read_text().splitlines())) for out in outs]


def check(ranks, name):
    """Both processes did the same, although they drew differently."""
    first, second = ([row for row in rows if row['name'] == name] for rows in ranks)
    *steps, last = zip(first, second)
    assert len(steps) == STEPS
    for one, other in steps:
        assert one['collectives'] == other['collectives']
        assert one['losses'] == other['losses']
        assert one['finite']
        assert other['finite']
    assert [one['mixed'] for one, _ in steps] != [other['mixed'] for _, other in steps]
    assert any(0 in (one['mixed'], other['mixed']) for one, other in steps)
    assert last[0]['weights'] == last[1]['weights']


@pytest.fixture(scope='module')
def quick(tmp_path_factory):
    return steps_of(tmp_path_factory.mktemp('quick'), QUICK)


@pytest.mark.parametrize('name', QUICK)
def test_two_processes_make_the_same_passes(quick, name):
    check(quick, name)


@pytest.fixture(scope='module')
def rest(tmp_path_factory):
    return steps_of(tmp_path_factory.mktemp('rest'), REST)


@pytest.mark.slow
@pytest.mark.parametrize('name', REST)
def test_the_others_do_so_too(rest, name):
    check(rest, name)


@pytest.mark.slow
def test_four_processes(tmp_path):
    names = ('FCOS', 'SSD')
    ranks = steps_of(tmp_path, names, world=4)
    for name in names:
        for other in ranks[1:]:
            check([ranks[0], other], name)
