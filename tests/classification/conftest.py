"""Set-up of the tests of classifiers."""

from __future__ import annotations

import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def _mmpretrain_scope(_scope_and_counters):
    """The default scope as a Runner of mmpretrain sets it."""
    init_default_scope('mmpretrain')
