#!/usr/bin/env python
"""Draw what methods gain, study by study; see --help."""

from mmmix.commands.plot_gain import run

if __name__ == '__main__':
    run()
