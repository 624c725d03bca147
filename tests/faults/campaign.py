"""Tables of many faults: ``python -m tests.faults.campaign kills|signals FOLDER``."""

from __future__ import annotations

import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults import harness, toys
from tests.faults.harness import Run
from tests.faults.planned_faults import Fault

STEPS = {
    'checkpoint': (1, 2, 3, 4, 6, 9, 14),
    'best': (1, 2, 3, 4, 6),
    'pointer': (1, 2, 3, 4, 7),
    'validation': (1, 2, 4),
    'preview': (1, 2, 5),
    'log': (2, 5, 9, 20, 31, 40),
}
"""The steps of writing at which runs are killed."""


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f'{line}\n')
    sys.stdout.flush()


def verdict(run: Run, whole: Run, code: int) -> str:
    """What a resumed run lost; an empty text if nothing."""
    if code:
        return f'resume ended with {code}'
    try:
        return harness.same(run, whole)
    except Exception as error:
        return f'{type(error).__name__} of a file'


def resumed(run: Run, whole: Run) -> str:
    """Resume a run that was ended, and compare."""
    return verdict(run, whole, run.train('--resume'))


def killed(folder: Path, make: Callable, whole: Run, fault: Fault) -> tuple[int, str]:
    """Kill a run at a step of writing; the exit code, and what was lost."""
    run = Run(folder, make)
    code = run.train(prepare=fault.install)
    return code, resumed(run, whole)


def killed_at(
    folder: Path, make: Callable, whole: Run, after: float
) -> tuple[int, str]:
    """Kill a run after some seconds; likewise."""
    run = Run(folder, make)
    pid = run.begin()
    time.sleep(after)
    with_group = harness.signal_group(pid, signal.SIGKILL)
    return harness.wait(pid) if with_group else 0, resumed(run, whole)


def kills(folder: Path, kinds: list[str]) -> None:
    """Kill at every kind of write and at random moments; print a table."""
    chance = random.Random(0)
    for kind in kinds:
        make = toys.KINDS[kind]
        whole = Run(folder / kind / 'whole', make)
        begun = time.monotonic()
        assert whole.train() == 0, whole.output()[-2000:]
        length = time.monotonic() - begun
        seen: Counter = Counter()
        for write, numbers in STEPS.items():
            for number in numbers:
                place = folder / kind / f'{write}{number}'
                code, lost = killed(place, make, whole, Fault(write, number))
                seen[write, code == -9, not lost] += 1
                if lost:
                    say(f'  {kind} {write} {number}: {lost}')
                shutil.rmtree(place, ignore_errors=True)
        for number in range(20):
            place = folder / kind / f'random{number}'
            code, lost = killed_at(place, make, whole, chance.uniform(0, length))
            seen['random', code == -9, not lost] += 1
            if lost:
                say(f'  {kind} random {number}: {lost}')
            shutil.rmtree(place, ignore_errors=True)
        for write in (*STEPS, 'random'):
            count = {k[1:]: n for k, n in seen.items() if k[0] == write}
            total, good = sum(count.values()), sum(n for k, n in count.items() if k[1])
            dead = sum(n for k, n in count.items() if k[0])
            say(f'| {kind} | {write} | {total} | {dead} | {good} |')


def stop_once(folder: Path, make: Callable, whole: Run, phase: str, number: int):
    """Stop a run in a phase; exit code, processes left, and what was lost."""
    run = Run(folder, make)
    if phase == 'test':
        shutil.copytree(whole.work, run.work)
        pid = run.begin_test(f'iter_{toys.ITERS}.pth')
    else:
        pid = run.begin()
    harness.wait_for_text(
        run,
        {'training': 'Iter(train)', 'validation': 'Iter(val)', 'test': 'Iter(test)'}[
            phase
        ],
    )
    time.sleep(random.uniform(0, 0.3))
    harness.signal_group(pid, number)
    code = harness.wait(pid)
    left = harness.left_behind(pid)
    lost = resumed(run, whole) if phase != 'test' else ''
    return code, len(left), lost


def signals(folder: Path) -> None:
    """Stop runs with two workers by signals to their groups; print a table."""
    make = partial(toys.supervised, workers=2, seconds=0.02)
    whole = Run(folder / 'whole', make)
    assert whole.train() == 0, whole.output()[-2000:]
    for number in (signal.SIGTERM, signal.SIGINT):
        for phase in ('training', 'validation', 'test'):
            seen: Counter = Counter()
            for count in range(20):
                place = folder / f'{number}{phase}{count}'
                seen[stop_once(place, make, whole, phase, number)] += 1
                shutil.rmtree(place, ignore_errors=True)
            for (code, left, lost), n in seen.items():
                say(
                    f'| {number.name} | {phase} | {n} | {code} | {left} | '
                    f'{lost or "nothing"} |'
                )


if __name__ == '__main__':
    what, where, *kinds_given = sys.argv[1:]
    if what == 'kills':
        kills(Path(where), kinds_given or list(toys.KINDS))
    else:
        signals(Path(where))
