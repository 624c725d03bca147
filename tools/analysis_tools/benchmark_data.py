#!/usr/bin/env python
"""Time loading, mixing and preprocessing; see --help."""

from mmmix.commands.benchmark_data import run

if __name__ == '__main__':
    run()
