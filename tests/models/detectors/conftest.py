"""RetinaNet, small, and under LossMixDetector."""

from __future__ import annotations

import pytest

from . import zoo


@pytest.fixture(scope='module')
def cfg():
    return zoo.config('RetinaNet')


@pytest.fixture(scope='module')
def stock(cfg):
    return zoo.build(cfg)


@pytest.fixture(scope='module')
def model(cfg):
    return zoo.build(cfg, type='LossMixDetector', detector='RetinaNet')
