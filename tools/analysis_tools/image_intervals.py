#!/usr/bin/env python
"""Intervals of mAP over test images; see --help."""

from mmmix.commands.image_intervals import run

if __name__ == '__main__':
    run()
