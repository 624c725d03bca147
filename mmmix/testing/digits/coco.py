"""Collects scenes as a COCO annotation file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmmix.layouts.writers import coco_annotation
from mmmix.testing.digits.scene import Scene
from mmmix.testing.digits.settings import CLASSES


class CocoAnnotations:
    """The annotations of one split in COCO's format.

    A COCO box is ``(x, y, width, height)`` and spans whole pixels, so that
    ``x + width`` is the end of the last one. mmdet reads a VOC box as ending at
    the index of its last pixel; there the same box is 1 px narrower and lower.
    """

    def __init__(self) -> None:
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, name: str, scene: Scene) -> None:
        """Add a scene stored as ``{name}.jpg``. Ids count from 1."""
        height, width = scene.image.shape[:2]
        image_id = len(self._images) + 1
        self._images.append(
            {
                'id': image_id,
                'file_name': f'{name}.jpg',
                'height': height,
                'width': width,
            }
        )
        for glyph in scene.glyphs:
            x_min, y_min, x_max, y_max = glyph.box
            bbox = x_min, y_min, x_max - x_min + 1, y_max - y_min + 1
            ids = len(self._annotations) + 1, image_id, glyph.label + 1
            self._annotations.append(coco_annotation(*ids, bbox))

    def write(self, path: Path) -> None:
        """Write the annotation file; missing folders are made."""
        content = {
            'images': self._images,
            'annotations': self._annotations,
            'categories': [
                {'id': label + 1, 'name': name} for label, name in enumerate(CLASSES)
            ],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding='utf-8')
