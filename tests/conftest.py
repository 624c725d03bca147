"""Set-up that all tests share."""

from __future__ import annotations

import functools
import gc
import os
from types import SimpleNamespace

# Before torch is imported: two test processes on two cores, one thread each.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import mmengine.config.utils
import mmengine.runner.loops
import pytest
import torch
import yapf.yapflib.yapf_api
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope

import mmmix  # noqa: F401  registers everything
from tests.helpers import build_heads


@pytest.fixture(autouse=True, scope='session')
def _quick_runs():
    """Spare what configs and Runners take seconds for, and no test is about.

    A config that inherits from mmdet reads the hundred lists of mmdet's models. A
    Runner lays out its config three times, each of its data sets collects garbage
    among all that was ever imported, and a loop of iterations rests between two passes.
    """
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        as_it_is = lambda text, **style: (text, True)  # noqa: E731
        patch.setattr(yapf.yapflib.yapf_api, 'FormatCode', as_it_is)
        no_rest = SimpleNamespace(sleep=lambda seconds: None)
        patch.setattr(mmengine.runner.loops, 'time', no_rest)
        read_once = functools.cache(mmengine.config.utils.load)
        patch.setattr(mmengine.config.utils, 'load', read_once)
        yield


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
