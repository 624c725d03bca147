"""Processes of one run leave out the same steps."""

from __future__ import annotations

import multiprocessing
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmmix.apis.launching.launch import released
from tests.engine.skipped_steps import (
    BAD,
    GOOD,
    infinite_with_finite_gradient,
    net,
    step,
    wrap,
)


def _train(rank, store, results):
    """One of two processes; the second one has a bad image and a bad loss."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{store}', rank=rank, world_size=2
    )
    model = nn.parallel.DistributedDataParallel(
        net(), broadcast_buffers=False, find_unused_parameters=False
    )
    wrapper = wrap(model, max_skipped=2)
    skipped = []
    with released(SimpleNamespace(model=model)):
        for index in range(4):
            images = BAD if (rank, index) == (1, 1) else GOOD + rank
            change = infinite_with_finite_gradient if (rank, index) == (1, 3) else None
            step(model, wrapper, images, change)
            skipped.append(wrapper.skipped)
    weights = [p.tolist() for p in model.parameters()]
    means = model.module[1].running_mean.isfinite().all().item()
    results.put((skipped, weights, means))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_all_processes_skip_together(tmp_path):
    context = multiprocessing.get_context('spawn')
    results = context.Queue()
    workers = [
        context.Process(target=_train, args=(rank, tmp_path / 'store', results))
        for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    one, other = (results.get(timeout=500) for _ in workers)
    for worker in workers:
        worker.join()
    assert one == other
    assert one[0] == [False, True, False, True]
    assert one[2]
