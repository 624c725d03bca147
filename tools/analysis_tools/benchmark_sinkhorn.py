#!/usr/bin/env python
"""Time the assignment of AlignMix against a naive one; see --help."""

from mmmix.commands.benchmark_sinkhorn import run

if __name__ == '__main__':
    run()
