"""``--track``: curves and pictures of a run in a tracker of mmengine."""

from __future__ import annotations

import argparse
import importlib.util
from typing import NamedTuple

from mmengine.config import Config


class Tracker(NamedTuple):
    """What a tracker needs.

    Attributes:
        backend: mmengine's class.
        modules: One of these has to be there.
        package: Its name for pip.
    """

    backend: str
    modules: tuple[str, ...]
    package: str


TRACKERS = {
    'tensorboard': Tracker(
        'TensorboardVisBackend', ('tensorboard', 'tensorboardX'), 'tensorboard'
    ),
    'wandb': Tracker('WandbVisBackend', ('wandb',), 'wandb'),
    'mlflow': Tracker('MLflowVisBackend', ('mlflow',), 'mlflow'),
    'clearml': Tracker('ClearMLVisBackend', ('clearml',), 'clearml'),
}


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
    tracker = TRACKERS[name]
    if not any(importlib.util.find_spec(module) for module in tracker.modules):
        raise ModuleNotFoundError(
            f'--track {name} needs the package {tracker.package}, which is not '
            f'installed: python -m pip install {tracker.package}'
        )
    visualizer = cfg.get('visualizer') or dict(type='Visualizer')
    backends = list(visualizer.get('vis_backends') or [dict(type='LocalVisBackend')])
    if tracker.backend not in [backend.get('type') for backend in backends]:
        backends.append(dict(type=tracker.backend))
    cfg.visualizer = dict(visualizer, vis_backends=backends)
