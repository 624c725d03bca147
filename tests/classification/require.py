"""Importing this skips a test file where mmpretrain cannot be used, and says why."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

EXTRA = Path(sys.prefix) / 'classification'
"""Where `make env` installs mmpretrain; at the end of the path, so that nothing of the
environment is hidden."""

if EXTRA.is_dir() and str(EXTRA) not in sys.path:
    sys.path.append(str(EXTRA))

try:
    import mmmix.classification  # noqa: F401  registers everything
except ImportError as error:
    if (error.name or '').partition('.')[0] == 'mmmix':
        raise  # a fault of ours
    pytest.skip(f'no mmpretrain: {error}', allow_module_level=True)
