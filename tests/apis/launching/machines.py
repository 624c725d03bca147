"""Two machines on this one: networks of their own, and no folder in common but one.

Where network namespaces are not allowed they are two loopback addresses, and torchrun
is called directly, for the launch scripts refuse addresses of that kind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.nodes import free_port

TOOLS = Path(__file__).resolve().parents[3] / 'tools'
PER_MACHINE = 2


@dataclass
class Machine:
    """One of two machines.

    Args:
        rank: 0 for the first one.
        address: By which the other one reaches it.
        folder: The current directory of its processes.
        namespace: Its network; empty for that of this machine.
    """

    rank: int
    address: str
    folder: Path
    namespace: str = ''

    def start(
        self, script: str, *args: object, port: int, restarts: int = 0
    ) -> subprocess.Popen:
        """Start this machine's part of a run; its output is appended to a file.

        Args:
            script: ``train`` or ``test``.
            args: Of ``tools/dist_*.sh``, without the number of processes.
            port: Where the machines meet.
            restarts: How often torchrun starts its processes anew.
        """
        self.folder.mkdir(exist_ok=True)
        settings = dict(
            PYTHON=sys.executable,
            OMP_NUM_THREADS='1',
            CUDA_VISIBLE_DEVICES='-1',
            TORCH_DISABLE_SHARE_RDZV_TCP_STORE='1',  # as the script sets it
            PYTHONPATH=str(TOOLS.parent),
            PORT=str(port),
            MAX_RESTARTS=str(restarts),
            NNODES='2',
            NODE_RANK=str(self.rank),
            MASTER_ADDR=self._first,
        )
        words = [str(word) for word in args]
        number = 1 if script == 'train' else 2
        command = [str(TOOLS / f'dist_{script}.sh'), *words[:number]]
        command += [str(PER_MACHINE), *words[number:]]
        if self.namespace:
            command = ['ip', 'netns', 'exec', self.namespace, *command]
        else:
            command = self._torchrun(script, words, port, restarts)
        with (self.folder / 'output.txt').open('ab') as output:
            return subprocess.Popen(
                command,
                env={**os.environ, **settings},
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def _first(self) -> str:
        return f'{self.address.rpartition(".")[0]}.1'

    def _torchrun(
        self, script: str, words: list[str], port: int, restarts: int
    ) -> list[str]:
        return [
            *(sys.executable, '-m', 'torch.distributed.run', '--nnodes=2'),
            *('--rdzv-backend=c10d', f'--rdzv-endpoint={self._first}:{port}'),
            *('--rdzv-id=two', f'--rdzv-conf=is_host={1 - self.rank}'),
            *(f'--local-addr={self.address}', f'--max-restarts={restarts}'),
            *(f'--nproc_per_node={PER_MACHINE}', str(TOOLS / f'{script}.py')),
            *('--launcher', 'pytorch', *words),
        ]

    def output(self) -> str:
        """What its processes have said."""
        path = self.folder / 'output.txt'
        return path.read_text(errors='replace') if path.exists() else ''


@contextmanager
def two_machines(folder: Path) -> Iterator[list[Machine]]:
    """Two machines, which are gone after the block."""
    names = [f'mix{os.getpid()}{side}' for side in 'ab']
    try:
        namespaces = _networks(names)
        network = '10.213.7.' if namespaces else '127.0.0.'
        yield [
            Machine(rank, f'{network}{rank + 1}', folder / f'machine{rank}', name)
            for rank, name in enumerate(namespaces or ['', ''])
        ]
    finally:
        for name in names:
            _ip('netns', 'del', name)


def _networks(names: list[str]) -> list[str]:
    """Two networks with a cable between them; nothing if that is not allowed."""
    if shutil.which('ip') is None:
        return []
    cable = ['link', 'add', 'to0', 'netns', names[0], 'type', 'veth']
    steps = [
        *(['netns', 'add', name] for name in names),
        [*cable, 'peer', 'name', 'to0', 'netns', names[1]],
        *(
            ['-n', name, 'address', 'add', f'10.213.7.{rank + 1}/24', 'dev', 'to0']
            for rank, name in enumerate(names)
        ),
        *(['-n', name, 'link', 'set', 'to0', 'up'] for name in names),
        *(['-n', name, 'link', 'set', 'lo', 'up'] for name in names),
        # Some containers may make them, and not start a process in them.
        *(['netns', 'exec', name, 'true'] for name in names),
    ]
    return names if all(_ip(*step) for step in steps) else []


def _ip(*words: str) -> bool:
    """Call ``ip``; whether it did what it was asked."""
    with suppress(OSError):
        return not subprocess.run(['ip', *words], capture_output=True).returncode
    return False


def both(machines: list[Machine], *args: object, **options: int) -> list[int]:
    """Run a command on both machines to its end; returns their exit codes."""
    port = free_port()
    runs = [one.start(*args, port=port, **options) for one in machines]
    return [run.wait(900) for run in runs]


def kill(run: subprocess.Popen) -> None:
    """Take a machine's processes away, all at once."""
    found = [run.pid]
    for pid in found:
        for path in Path('/proc').glob('[0-9]*/stat'):
            with suppress(OSError):
                if path.read_text().rpartition(')')[2].split()[1] == str(pid):
                    found.append(int(path.parent.name))
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    run.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 600) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: If it does not come to that.
    """
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f'waited for {seconds} s')
        time.sleep(0.05)
