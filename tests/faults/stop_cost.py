"""What the agreement to stop costs a step: ``python -m tests.faults.stop_cost``.

Two processes with gloo train the demo's SSD; each round times a step, the same once
more, which shows the noise, and a step with the agreement, in rotating order.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from types import SimpleNamespace

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.optim import OptimWrapper

from mmmix.apis.launching.launch import released
from mmmix.engine.hooks.resuming.stop_agreement import StopAgreement
from mmmix.engine.stop_signals import StopSignals
from mmmix.studies.speed.benchmark import alternate, paired_ratio
from tests.faults.nodes import free_port
from tests.models.detectors.distributed_steps import batch, build

ROUNDS, WARMUPS = 60, 5


def measure(rank: int, port: int) -> None:
    """One of the two processes."""
    torch.set_num_threads(1)
    address = f'tcp://127.0.0.1:{port}'
    dist.init_process_group('gloo', init_method=address, rank=rank, world_size=2)
    model, shape = build('SSD')
    ddp = MMDistributedDataParallel(
        revert_sync_batchnorm(model), device_ids=None, broadcast_buffers=False
    )
    wrapper = OptimWrapper(torch.optim.SGD(ddp.parameters(), lr=1e-4))
    agreement, data = StopAgreement(StopSignals()), batch(rank, 0, shape)
    spent = []

    def step(_: int) -> dict[str, float]:
        begun = time.perf_counter()
        ddp.train_step(data, wrapper)
        return {'step_s': time.perf_counter() - begun}

    def agreed(index: int) -> dict[str, float]:
        begun = time.perf_counter()
        ddp.train_step(data, wrapper)
        trained = time.perf_counter()
        agreement.after_iteration()
        ended = time.perf_counter()
        spent.append(ended - trained)
        return {'step_s': ended - begun}

    contenders = {'step': step, 'again': step, 'agreed': agreed}
    with released(SimpleNamespace(model=ddp)):
        rounds = list(alternate(contenders, rounds=ROUNDS, warmups=WARMUPS))
    if rank == 0:
        times = {n: [r[n]['step_s'] for r in rounds] for n in contenders}
        median = sorted(times['step'])[len(rounds) // 2]
        call = sorted(spent[WARMUPS:])[ROUNDS // 2]
        sys.stdout.write(
            f'step {median:.3f} s; the agreement takes {call * 1e6:.0f} us of it\n'
            f'agreed / step {paired_ratio(times["agreed"], times["step"])}\n'
            f'again / step  {paired_ratio(times["again"], times["step"])}\n'
        )
    dist.destroy_process_group()


def main() -> None:
    """Measure."""
    port = free_port()
    context = multiprocessing.get_context('fork')
    processes = [context.Process(target=measure, args=(r, port)) for r in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == '__main__':
    main()
