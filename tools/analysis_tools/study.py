#!/usr/bin/env python
"""Train and test configs over seeds, and report mean and spread; see --help."""

from mmmix.commands.study import run

if __name__ == '__main__':
    run()
