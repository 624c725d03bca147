#!/usr/bin/env python
"""Count operations and reads of a training step of configs; see --help."""

from mmmix.commands.count_ops import run

if __name__ == '__main__':
    run()
