#!/usr/bin/env python
"""Split a COCO or VOC training set into labelled and unlabelled; see --help."""

from mmmix.commands.split_semi import run

if __name__ == '__main__':
    run()
