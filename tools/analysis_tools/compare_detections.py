#!/usr/bin/env python
"""Draw the detections of several models beside the annotations; see --help."""

from mmmix.commands.compare_detections import run

if __name__ == '__main__':
    run()
