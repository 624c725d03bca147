"""Set-up that all tests share."""

from __future__ import annotations

import os

# Before torch is imported: two test processes on two cores, one thread each.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope

import mmmix  # noqa: F401  registers everything
from tests.helpers import build_heads


@pytest.fixture(autouse=True)
def _scope_and_counters():
    """A default scope as a Runner sets it, and counters as before any run."""
    torch.set_num_threads(1)
    init_default_scope('mmdet')
    MessageHub.get_current_instance().runtime_info.clear()


@pytest.fixture(scope='session')
def heads():
    """A stock SSD head and a mix-aware one with the same (few) parameters."""
    init_default_scope('mmdet')
    return build_heads()
