"""What is said where mmpretrain is missing, broken or of another version."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmmix.classification import requirement

ROOT = Path(__file__).resolve().parents[2]


def test_a_good_one_passes():
    requirement.check_mmpretrain()


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (ModuleNotFoundError('x', name='mmpretrain'), 'which is not installed'),
        (ModuleNotFoundError("No module named 'einops'", name='einops'), "'einops'"),
        (RuntimeError('operator torchvision::nms does not exist'), 'torchvision::nms'),
        (AssertionError('MMCV==3 is used but incompatible'), 'MMCV==3'),
    ],
)
def test_a_bad_one_is_named_with_the_remedy(error, text, monkeypatch):
    def fail(name):
        raise error

    monkeypatch.setattr(requirement.importlib, 'import_module', fail)
    with pytest.raises(ImportError, match=text) as raised:
        requirement.check_mmpretrain()
    assert "pip install 'mmmix[classification]'" in str(raised.value)


def test_the_remedy_names_what_the_pins_name():
    """An installed user has no requirements/ to read."""
    pins = (ROOT / 'requirements' / 'classification.txt').read_text().splitlines()
    names = {pin.partition('==')[0] for pin in pins if not pin.startswith('#')}
    assert names - {'torchvision'} <= set(requirement.INSTALL_HELP.split())
    assert 'requirements' not in requirement.INSTALL_HELP


def test_another_version_is_refused(monkeypatch):
    other = SimpleNamespace(__version__='0.25.0')
    monkeypatch.setattr(requirement.importlib, 'import_module', lambda name: other)
    with pytest.raises(ImportError, match='< 2.0.0, but found 0.25.0'):
        requirement.check_mmpretrain()
