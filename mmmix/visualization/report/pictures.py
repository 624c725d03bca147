"""Pictures of a run: batches, and images with what was found in them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from mmmix.visualization.as_loaded import as_loaded

MAX_SIDE = 1000
QUALITY = 80
TRUTH, FOUND = '#2ca02c', '#d62728'


def shrink(source: str | Path) -> bytes:
    """A picture as a small JPEG.

    Args:
        source: An image file of any kind.
    """
    with Image.open(source) as image:
        picture = image.convert('RGB')
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    content = io.BytesIO()
    picture.save(content, format='JPEG', quality=QUALITY)
    return content.getvalue()


def embedded(content: bytes) -> str:
    """A JPEG as a data URI."""
    return f'data:image/jpeg;base64,{base64.b64encode(content).decode()}'


def draw_examples(images: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> bytes:
    """Draw images twice: with their objects above, with the detections below.

    Args:
        images: Entries of ``best`` or ``worst`` of a validation's summary.
        classes: Names of the labels.

    Returns:
        A JPEG.

    Raises:
        FileNotFoundError: If an image is gone.
    """
    figure = Figure((2.6 * len(images), 5.2), layout='constrained', dpi=100)
    axes = figure.subplots(2, len(images), squeeze=False)
    for (above, below), entry in zip(axes.T, images):
        shown = mmcv.imread(entry['path'], channel_order='rgb')
        picture = as_loaded(shown, entry['path'], entry.get('shape'))
        for axis, rows, color in (
            (above, entry['truth'], TRUTH),
            (below, entry['found'], FOUND),
        ):
            axis.imshow(picture)
            axis.set_axis_off()
            _draw_boxes(axis, rows, color, classes)
        name = Path(entry['path']).name
        # Names of files may hold what matplotlib takes for a formula.
        title = f'{name[:24]}  AP {entry["value"]:.2f}'
        above.set_title(title, fontsize=8, loc='left', parse_math=False)
        if not len(entry['found']):
            below.set_title('nothing found', fontsize=8, loc='left')
    content = io.BytesIO()
    figure.savefig(content, format='jpg', pil_kwargs=dict(quality=QUALITY))
    return content.getvalue()


def _draw_boxes(
    axis: Axes, rows: Sequence[Sequence[float]], color: str, classes: Sequence[str]
) -> None:
    """Draw boxes with their classes and, if they have any, scores."""
    for x1, y1, x2, y2, label, *score in np.asarray(rows, dtype=float):
        box = Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=color, lw=1.5)
        axis.add_patch(box)
        text = ' '.join([classes[int(label)], *(f'{value:.2f}' for value in score)])
        axis.text(
            x1,
            y1,
            text,
            fontsize=6,
            color='white',
            va='bottom',
            clip_on=True,
            parse_math=False,
            bbox=dict(facecolor=color, edgecolor='none', pad=1, alpha=0.8),
        )
