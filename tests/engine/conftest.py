"""Set-up that tests of the engine share."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def seeded():
    """Weights far enough from 0 for statistics that are seen to follow."""
    torch.manual_seed(2)
