#!/usr/bin/env python
"""Save pictures of where a classifier looks; see --help."""

from mmmix.commands.browse_cam import run

if __name__ == '__main__':
    run()
