#!/usr/bin/env python
"""Train a detector; see --help."""

from mmmix.commands.train import run

if __name__ == '__main__':
    run()
