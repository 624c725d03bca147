"""The console command by another name: ``python -m mmmix``; see ``--help``."""

import sys

from mmmix_command import main

if __name__ == '__main__':
    sys.exit(main())
