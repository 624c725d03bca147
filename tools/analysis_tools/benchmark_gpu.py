#!/usr/bin/env python
"""The price of mixed training on this machine; see --help."""

from mmmix.commands.benchmark_gpu import run

if __name__ == '__main__':
    run()
