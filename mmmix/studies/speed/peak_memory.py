"""How much memory a call allocates at its peak, through torch."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


def peak_allocated(run: Callable[[], Any], device: torch.device) -> int:
    """Highest total, in bytes, of what ``run`` allocates on ``device``.

    What was allocated before does not count. On CUDA it is the caching
    allocator's peak statistic. On CPU it is the running total of torch's
    allocations as its profiler records them: exact and repeatable, but what
    libraries allocate by themselves (oneDNN scratch memory, OpenCV, Python) is
    not in it, nor is the allocator's overhead. The profiler slows ``run`` down,
    so it must not be timed.

    Args:
        run: Called once.
        device: A CUDA device or the CPU.
    """
    return _cuda_peak(run, device) if device.type == 'cuda' else _cpu_peak(run)


def _cuda_peak(run: Callable[[], Any], device: torch.device) -> int:
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def _cpu_peak(run: Callable[[], Any]) -> int:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / 'trace.json'
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding='utf-8'))['traceEvents']
    events = [event for event in events if event.get('name') == '[memory]']
    held = peak = 0
    for event in sorted(events, key=lambda event: event['ts']):
        held += event['args']['Bytes']
        peak = max(peak, held)
    return peak
