"""Test a detector: ``python -m mmmix.test``; see --help."""

from mmmix.commands.test import main

if __name__ == '__main__':
    main()
