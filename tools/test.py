#!/usr/bin/env python
"""Test a detector; see --help."""

from mmmix.commands.test import run

if __name__ == '__main__':
    run()
