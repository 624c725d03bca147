#!/usr/bin/env python
"""Write handwritten digits as images for classifiers; see --help."""

from mmmix.commands.make_glyphs import run

if __name__ == '__main__':
    run()
