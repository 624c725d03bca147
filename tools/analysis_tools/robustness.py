#!/usr/bin/env python
"""Test detectors on perturbed images, and compare how much they lose; see --help."""

from mmmix.commands.robustness import run

if __name__ == '__main__':
    run()
