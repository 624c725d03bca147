"""The same images and boxes in the three layouts, written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ('cat', 'big dog')
SIZE = (96, 64)
BOX = (10, 20, 50, 60)


def write_image(path: Path, seed: int) -> None:
    """A picture of coarse noise; other seeds look unlike it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 255, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(SIZE, Image.Resampling.NEAREST).save(path)


def label_of(number: int) -> int:
    """Every third image has the second class."""
    return int(number % 3 == 0)


def stem_of(number: int) -> str:
    return f'bild {number:02} ä'


def voc_xml(name: str, size: tuple[int, int] = SIZE) -> str:
    corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), BOX)
    box = ''.join(f'<{corner}>{value}</{corner}>' for corner, value in corners)
    return (
        f'<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>'
        f'<object><name>{name}</name><bndbox>{box}</bndbox></object></annotation>'
    )


def write_voc(root: Path, count: int = 12, lists: bool = False) -> Path:
    for number in range(count):
        stem = stem_of(number)
        write_image(root / 'JPEGImages' / f'{stem}.png', number)
        path = root / 'Annotations' / f'{stem}.xml'
        path.parent.mkdir(exist_ok=True)
        path.write_text(voc_xml(CLASSES[label_of(number)]), encoding='utf-8')
    if lists:
        folder = root / 'ImageSets' / 'Main'
        folder.mkdir(parents=True)
        stems = [stem_of(number) for number in range(count)]
        (folder / 'train.txt').write_text('\n'.join(stems[: count - 4]))
        (folder / 'val.txt').write_text('\n'.join(stems[count - 4 :]) + '\n')
    return root


def write_coco(root: Path, count: int = 12) -> Path:
    x1, y1, x2, y2 = BOX
    images, annotations = [], []
    for number in range(count):
        stem = stem_of(number)
        write_image(root / 'pics' / f'{stem}.png', number)
        size = dict(width=SIZE[0], height=SIZE[1])
        images.append(dict(id=number, file_name=f'{stem}.png', **size))
        annotations.append(
            dict(
                id=number,
                image_id=number,
                category_id=7 + label_of(number),
                bbox=[x1 - 1, y1 - 1, x2 - x1, y2 - y1],
                area=(x2 - x1) * (y2 - y1),
                iscrowd=0,
            )
        )
    categories = [dict(id=7 + i, name=name) for i, name in enumerate(CLASSES)]
    categories.append(dict(id=9, name='never'))
    content = dict(images=images, annotations=annotations, categories=categories)
    (root / 'labels.json').write_text(json.dumps(content))
    return root


def write_yolo(root: Path, count: int = 12, names: bool = True) -> Path:
    x1, y1, x2, y2 = (value - 1 for value in BOX)
    width, height = SIZE
    centre = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height
    sides = (x2 - x1) / width, (y2 - y1) / height
    (root / 'labels').mkdir(parents=True)
    for number in range(count):
        stem = stem_of(number)
        write_image(root / 'images' / f'{stem}.png', number)
        line = ' '.join(map(repr, (label_of(number), *centre, *sides)))
        (root / 'labels' / f'{stem}.txt').write_text(line)
    if names:
        (root / 'data.yaml').write_text(f'names: {json.dumps(CLASSES)}')
    return root


WRITERS = dict(voc=write_voc, coco=write_coco, yolo=write_yolo)
