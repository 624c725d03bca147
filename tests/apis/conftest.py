"""What tests of the run's interfaces share."""

from __future__ import annotations

import logging

import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def logged(caplog):
    """The warnings of mmengine's logger."""
    logger = MMLogger.get_current_instance()
    caplog.handler.setLevel(logging.WARNING)
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
