#!/usr/bin/env python
"""Train a detector; see --help."""

from mmmix.commands.train import main

if __name__ == '__main__':
    main()
