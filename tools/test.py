#!/usr/bin/env python
# Copyright (c) the mmmix authors. Licensed under the Apache License 2.0.
"""Test a detector; see --help."""

import sys
from pathlib import Path

# A checkout works without being installed.
if (Path(__file__).resolve().parents[1] / 'mmmix').is_dir():
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmmix.test import main  # noqa: E402

if __name__ == '__main__':
    main()
