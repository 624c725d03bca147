#!/usr/bin/env python
"""Test a detector; see --help."""

from mmmix.commands.test import main

if __name__ == '__main__':
    main()
