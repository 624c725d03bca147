"""Train a detector: ``python -m mmmix.train``; see --help."""

from mmmix.commands.train import run

if __name__ == '__main__':
    run()
