#!/usr/bin/env python
"""Does a detector know images of nothing from images of its data set?; see --help."""

from mmmix.commands.uncertainty import run

if __name__ == '__main__':
    run()
