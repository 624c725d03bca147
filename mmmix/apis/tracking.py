"""``--track``: curves and pictures of a run in a tracker of mmengine."""

from __future__ import annotations

import argparse
import importlib.util

from mmengine.config import Config

TRACKERS = {
    'tensorboard': 'TensorboardVisBackend',
    'wandb': 'WandbVisBackend',
    'mlflow': 'MLflowVisBackend',
    'clearml': 'ClearMLVisBackend',
}
"""Trackers, named as the packages that they need, and mmengine's backends."""


def add_track_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--track``."""
    parser.add_argument(
        '--track',
        choices=list(TRACKERS),
        help='send curves and pictures to this tracker too, which has to be installed',
    )


def track(cfg: Config, name: str) -> None:
    """Add a tracker to the config's visualizer; what it has already stays.

    Args:
        cfg: The config of a run.
        name: One of :data:`TRACKERS`.

    Raises:
        ModuleNotFoundError: If its package is not installed, with the line to type.
    """
    if importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError(
            f'--track {name} needs the package {name}, which is not installed: '
            f'python -m pip install {name}'
        )
    visualizer = cfg.get('visualizer') or dict(type='Visualizer')
    backends = list(visualizer.get('vis_backends') or [dict(type='LocalVisBackend')])
    if TRACKERS[name] not in [backend.get('type') for backend in backends]:
        backends.append(dict(type=TRACKERS[name]))
    cfg.visualizer = dict(visualizer, vis_backends=backends)
