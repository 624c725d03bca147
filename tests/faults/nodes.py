"""Runs of two machines with two processes each, one of which goes away.

The machines are process groups here: what is tried is what the processes agree on.
``tests/apis/launching/test_two_machines.py`` has networks of their own, and torchrun.
``python -m tests.faults.nodes FOLDER`` ends one of them at 20 random moments.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults import harness, toys
from tests.faults.harness import Run

NODES, PER_NODE = 2, 2
WORLD = NODES * PER_NODE


def supervised(folder: Path, **options: object) -> dict:
    """The toy run whose gradients are summed in one order, before and after a resume.

    DDP lays out its buckets anew after its first step, unless it looks for unused
    parameters; of more than two processes that is another order of sums.
    """
    return toys.supervised(folder, **options) | dict(find_unused_parameters=True)


class ManyRun(Run):
    """A toy run in several processes, whose numbers are those of torchrun.

    Args:
        folder: For its config and its working directory.
        make: The function of ``toys`` that makes the config.
        world: Number of processes.
        options: Of that function.
    """

    def __init__(
        self, folder: Path, make: Callable, world: int = WORLD, **options: object
    ) -> None:
        super().__init__(folder, make, **options)
        self.world = world

    def begin_all(
        self, *args: str, prepare: Callable[[], None] = lambda: None
    ) -> list[int]:
        """Start all processes; returns them by rank.

        Args:
            args: Of the command.
            prepare: Called in each process before the command.
        """
        port = free_port()
        args = (*args, '--launcher', 'pytorch')
        return [
            self.begin(*args, prepare=partial(self._as_rank, rank, port, prepare))
            for rank in range(self.world)
        ]

    def train(self, *args: str) -> int:
        """Train to the end; returns the greatest exit code."""
        return max(map(harness.wait, self.begin_all(*args)))

    def _as_rank(self, rank: int, port: int, prepare: Callable[[], None]) -> None:
        os.environ.pop('SLURM_NNODES', None)
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank % PER_NODE),
            WORLD_SIZE=str(self.world),
            LOCAL_WORLD_SIZE=str(PER_NODE),
            GROUP_WORLD_SIZE=str(self.world // PER_NODE),
            GROUP_RANK=str(rank // PER_NODE),
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port),
            TORCHELASTIC_RUN_ID='two',
            CUDA_VISIBLE_DEVICES='-1',
        )
        prepare()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def end_one(run: ManyRun, number: int, node: int, after: float) -> list[int]:
    """Signal the processes of one machine, after some seconds of training.

    Returns:
        The exit codes of all processes, by rank.
    """
    pids = run.begin_all()
    harness.wait_for_text(run, 'Iter(train)')
    time.sleep(after)
    for pid in pids[node * PER_NODE : (node + 1) * PER_NODE]:
        harness.signal_group(pid, number)
    return [harness.wait(pid) for pid in pids]


def seconds_of(whole: ManyRun) -> float:
    """Make a run that nothing disturbs; how long it trains and validates."""
    pids = whole.begin_all()
    harness.wait_for_text(whole, 'Iter(train)')
    begun = time.monotonic()
    codes = [harness.wait(pid) for pid in pids]
    assert codes == [0] * whole.world, whole.output()[-3000:]
    return time.monotonic() - begun


def lost_by(run: ManyRun, whole: Run, number: int, seed: int, seconds: float):
    """End one machine at a random moment, then resume on both.

    Args:
        run: A run that has not begun.
        whole: The same, that nothing disturbed.
        number: The signal.
        seed: Of the moment and the machine.
        seconds: How long the run takes.

    Returns:
        The exit codes, the checkpoint that was left, and what differs at the end.
    """
    chance = random.Random(seed)
    codes = end_one(run, number, chance.randrange(NODES), chance.uniform(0, seconds))
    pointer = run.work / 'last_checkpoint'
    left = Path(pointer.read_text()).name if pointer.is_file() else 'none'
    code = run.train('--resume')
    lost = harness.same(run, whole) if code == 0 else f'resume ended with {code}'
    return codes, left, lost


def main(folder: Path) -> None:
    """Ten kills and ten SIGTERMs; print a table."""
    make = partial(supervised, workers=1, seconds=0.02)
    whole = ManyRun(folder / 'whole', make)
    seconds = seconds_of(whole)
    for number in (signal.SIGKILL, signal.SIGTERM):
        for seed in range(10):
            run = ManyRun(folder / f'{number}_{seed}', make)
            codes, left, lost = lost_by(run, whole, number, seed, seconds)
            cells = (number.name, seed, codes, left, lost or 'nothing')
            sys.stdout.write(f'| {" | ".join(map(str, cells))} |\n')
            sys.stdout.flush()
            shutil.rmtree(run.folder)


if __name__ == '__main__':
    main(Path(sys.argv[1]))
