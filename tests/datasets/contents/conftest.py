"""Bounds of memory and time that no broken file may make us exceed."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """As under ``ulimit -v``: a gigabyte more than now, and half a minute."""
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    used = pages * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, limits[1]))
    start = time.monotonic()
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)
    assert time.monotonic() - start < 30
