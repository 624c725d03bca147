#!/usr/bin/env python
"""Make patches of digits for tools/analysis_tools/transplant.py; see --help."""

from mmmix.commands.make_digit_patches import run

if __name__ == '__main__':
    run()
