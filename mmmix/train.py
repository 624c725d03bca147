"""Train a detector: ``python -m mmmix.train``; see --help."""

from mmmix.commands.train import main

if __name__ == '__main__':
    main()
