#!/usr/bin/env python
"""Crop the objects of a VOC data set into a set for classifiers; see --help."""

from mmmix.commands.make_object_crops import run

if __name__ == '__main__':
    run()
