"""The heads of the conformance suite."""

from __future__ import annotations

from typing import Any

import pytest

from .retinanet import RETINANET
from .roi import ROI
from .rpn import RPN
from .ssd import SSD
from .yolov3 import YOLOV3

CASES = (SSD, RPN, ROI, YOLOV3, RETINANET)
SUPERVISIONS = (
    dict(type='Union'),
    dict(type='WeightedUnion'),
    dict(type='LossMix'),
    dict(type='BoxMix'),
)


def options(attribute: str) -> list[Any]:
    """Every case with each entry of one of its attributes, as parameters.

    The entries are the values of a dict, or the items of a tuple.
    """
    params = []
    for case in CASES:
        entries = getattr(case, attribute)
        for key in entries:
            value = entries[key] if isinstance(entries, dict) else key
            params.append(pytest.param(case, value, id=f'{case.name}-{key}'))
    return params
