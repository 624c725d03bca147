"""Test a detector: ``python -m mmmix.test``; see --help."""

from mmmix.commands.test import run

if __name__ == '__main__':
    run()
