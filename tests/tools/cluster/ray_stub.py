"""A stand-in of Ray Train: workers with a process group each, in folders of their own.

Its names and arguments are those of Ray 2; it is put into ``sys.modules``.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import types
from dataclasses import dataclass, field

import torch.distributed as dist

from tests.faults.nodes import free_port


@dataclass
class ScalingConfig:
    num_workers: int
    use_gpu: bool
    resources_per_worker: dict


@dataclass
class FailureConfig:
    max_failures: int = 0


@dataclass
class RunConfig:
    name: str | None = None
    storage_path: str | None = None
    failure_config: FailureConfig = field(default_factory=FailureConfig)


@dataclass
class TorchTrainer:
    train_loop_per_worker: object
    train_loop_config: dict
    scaling_config: ScalingConfig
    run_config: RunConfig

    def fit(self):
        """Run the loop in all workers; raises if one fails more often than allowed."""
        for _ in range(1 + self.run_config.failure_config.max_failures):
            port, count = free_port(), self.scaling_config.num_workers
            context = multiprocessing.get_context('fork')
            workers = [
                context.Process(target=self._work, args=(rank, count, port))
                for rank in range(count)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            if not any(worker.exitcode for worker in workers):
                return
        raise RuntimeError('a worker failed')

    def _work(self, rank, count, port):
        os.chdir(tempfile.mkdtemp())
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE=str(count),
            LOCAL_WORLD_SIZE=str(count),
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port),
        )
        dist.init_process_group('gloo', rank=rank, world_size=count)
        self.train_loop_per_worker(self.train_loop_config)
        dist.destroy_process_group()


def install(monkeypatch):
    """Let ``import ray.train`` find this."""
    ray, train, torch = (types.ModuleType(n) for n in ('ray', 'train', 'torch'))
    for item in (ScalingConfig, FailureConfig, RunConfig):
        setattr(train, item.__name__, item)
    torch.TorchTrainer = TorchTrainer
    for name, module in (
        ('ray', ray),
        ('ray.train', train),
        ('ray.train.torch', torch),
    ):
        monkeypatch.setitem(sys.modules, name, module)
