#!/usr/bin/env python
"""Do detectors find an object that was pasted where it does not belong?; see --help."""

from mmmix.commands.transplant import run

if __name__ == '__main__':
    run()
