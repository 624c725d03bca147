"""Values as they stand in a config file."""

from __future__ import annotations

import math

from mmmix.apis.configs.written import written


def test_values_are_written_as_they_are_read():
    value = dict(a=[dict(b=(1, 2), c='x' * 40), None], d=dict(e=1.5, f=dict(g=True)))
    scope: dict = {}
    exec(f'value = {written(value)}', scope)
    assert scope['value'] == value
    assert max(map(len, written(value).splitlines())) <= 88
    line = written(value, width=math.inf)
    assert '\n' not in line
    exec(f'value = {line}', scope)
    assert scope['value'] == value
