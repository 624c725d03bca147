#!/usr/bin/env python
"""Save pictures of the mixed batches that a config really trains on; see --help."""

from mmmix.commands.browse_mix import run

if __name__ == '__main__':
    run()
