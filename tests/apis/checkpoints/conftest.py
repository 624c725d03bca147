"""What tests of checkpoints share."""

from __future__ import annotations

import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def logged(caplog):
    """What mmengine's logger says."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
