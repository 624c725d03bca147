"""A project that took the name of one of mmmix's types before mmmix was imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mmmix.apis.taken_names import told_of_taken_names

TAKEN = """
from mmdet.registry import TRANSFORMS

@TRANSFORMS.register_module()
class GaussianBlur:
    pass

import mmmix
"""


def test_both_places_are_named_with_the_way_out():
    done = subprocess.run([sys.executable, '-c', TAKEN], capture_output=True, text=True)
    (line,) = [
        line for line in done.stderr.splitlines() if line.startswith('ValueError')
    ]
    ours = 'mmmix.datasets.transforms.strong_view registers GaussianBlur'
    assert f'{ours} in the registry ' in line
    assert 'and __main__ has done so before' in line
    assert "@register_module(name='MyGaussianBlur')" in line


def test_other_errors_stay_as_they_are():
    with pytest.raises(KeyError, match='lost'), told_of_taken_names():
        raise KeyError('lost')
