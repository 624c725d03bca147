#!/usr/bin/env python
"""What does a detector see in an image between two images?; see --help."""

from mmmix.commands.in_between import run

if __name__ == '__main__':
    run()
