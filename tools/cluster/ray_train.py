#!/usr/bin/env python
"""Train in workers of Ray Train; see --help."""

from mmmix.commands.ray_train import main

if __name__ == '__main__':
    main()
