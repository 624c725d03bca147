#!/usr/bin/env python
"""Make the photographs of configs/photos from VOC2012; see --help."""

from mmmix.commands.make_voc_animals import run

if __name__ == '__main__':
    run()
