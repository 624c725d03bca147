#!/usr/bin/env python
"""How flat are a detector's representations of a class?; see --help."""

from mmmix.commands.plot_flattening import run

if __name__ == '__main__':
    run()
