#!/usr/bin/env python
"""Cut objects of a VOC data set out of their photographs; see --help."""

from mmmix.commands.make_object_patches import run

if __name__ == '__main__':
    run()
