#!/usr/bin/env python
"""Take the teacher or the student out of a semi-supervised checkpoint; see --help."""

from mmmix.commands.export_detector import run

if __name__ == '__main__':
    run()
