"""Boxes that reach out of their images: corners for sizes, sizes of other images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .data_sets import Loaded, infos
from .finding import WARNING, Finding

BEYOND = 0.1
"""Of the side of an image; objects that its edge cuts are drawn out to some of it."""
TOLERATED = 0.1
"""Share of boxes that may do so without a warning."""


def check_reach(loaded: Loaded) -> Iterator[Finding]:
    """Count the boxes of each split that reach far out of their images.

    Args:
        loaded: The data sets.
    """
    for split, sources in loaded.sources.items():
        boxes = [
            (info, item['bbox'])
            for source in sources
            for info in (infos(source) if source.labelled else ())
            for item in info.get('instances') or ()
            if 'bbox' in item and info.get('width') and info.get('height')
        ]
        far = [info for info, box in boxes if _reaches(box, info)]
        if len(far) > TOLERATED * len(boxes):
            yield Finding(
                WARNING,
                f'{split} boxes',
                f'{len(far)} of {len(boxes)} reach out of their images by more than '
                f'{BEYOND:.0%} of a side, such as in {far[0].get("img_path")}',
                "COCO's boxes are [x, y, width, height], not corners; else look "
                'whether they are for images of another size: mmmix browse CONFIG',
            )


def _reaches(box: Sequence[float], info: dict) -> bool:
    """Whether a box reaches far out of its image."""
    x1, y1, x2, y2 = box
    out = max(-x1, x2 - info['width']) / info['width']
    return max(out, max(-y1, y2 - info['height']) / info['height']) > BEYOND
