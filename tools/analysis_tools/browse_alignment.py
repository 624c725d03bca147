#!/usr/bin/env python
"""Save pictures of what AlignMix carries from one image to another; see --help."""

from mmmix.commands.browse_alignment import run

if __name__ == '__main__':
    run()
