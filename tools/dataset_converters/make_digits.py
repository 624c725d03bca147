#!/usr/bin/env python
"""Generate the digits demo data in VOC layout; needs no download; see --help."""

from mmmix.commands.make_digits import run

if __name__ == '__main__':
    run()
