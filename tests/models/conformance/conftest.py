"""The head that a test of the suite runs with."""

from __future__ import annotations

import pytest

from .cases import CASES


@pytest.fixture(scope='module', params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


@pytest.fixture(scope='module')
def heads(case):
    """The stock head of the case and its twin, with its default settings."""
    return case.build()


@pytest.fixture(scope='module')
def sides(case):
    """Two batches to mix."""
    return case.sides()
