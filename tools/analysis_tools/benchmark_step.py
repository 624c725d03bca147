#!/usr/bin/env python
"""Time one training step of configs against a reference config; see --help."""

from mmmix.commands.benchmark_step import run

if __name__ == '__main__':
    run()
