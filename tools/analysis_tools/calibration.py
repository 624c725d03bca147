#!/usr/bin/env python
"""Is a detection of score 0.8 right four times out of five?; see --help."""

from mmmix.commands.calibration import run

if __name__ == '__main__':
    run()
