"""Four-image data sets in the places where the configs look for theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmdet.datasets import CocoDataset, VOCDataset

from mmmix.testing.digits.settings import CLASSES as DIGITS

IMAGES = 4
BOX = (40, 30, 120, 130)
WIDTH, HEIGHT = 180, 160


def write_tiny_data(root: Path) -> None:
    """Write VOC, COCO and digits data with the folders of ``data/`` to ``root``.

    Image k of each has one box, ``BOX``, of class k.
    """
    voc = VOCDataset.METAINFO['classes']
    for year in ('VOC2007', 'VOC2012'):
        folder = root / 'VOCdevkit' / year
        write_voc(folder, {'trainval': '00', 'test': '01'}, voc)
    write_voc(root / 'digits', {'train': 'a', 'val': 'b', 'test': 'c'}, DIGITS)
    for split in ('train2017', 'val2017'):
        write_coco(root / 'coco', split)


def write_voc(folder: Path, splits: dict[str, str], classes: tuple[str, ...]) -> None:
    """Write one folder of VOC layout; ``splits`` maps a split to its ids' prefix."""
    for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (folder / part).mkdir(parents=True)
    for split, prefix in splits.items():
        ids = [f'{prefix}{k}' for k in range(IMAGES)]
        (folder / f'ImageSets/Main/{split}.txt').write_text('\n'.join(ids))
        for k, img_id in enumerate(ids):
            write_image(folder / f'JPEGImages/{img_id}.jpg', k)
            (folder / f'Annotations/{img_id}.xml').write_text(xml(classes[k]))


def write_coco(folder: Path, split: str) -> None:
    """Write one split of COCO layout."""
    (folder / split).mkdir(parents=True)
    (folder / 'annotations').mkdir(exist_ok=True)
    size = dict(width=WIDTH, height=HEIGHT)
    images = [dict(id=k, file_name=f'{k}.jpg', **size) for k in range(IMAGES)]
    for k, image in enumerate(images):
        write_image(folder / split / image['file_name'], k)
    x1, y1, x2, y2 = BOX
    box = dict(bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1), iscrowd=0)
    content = dict(
        images=images,
        annotations=[
            dict(id=k + 1, image_id=k, category_id=k, **box) for k in range(IMAGES)
        ],
        categories=[
            dict(id=k, name=name)
            for k, name in enumerate(CocoDataset.METAINFO['classes'])
        ],
    )
    file = folder / 'annotations' / f'instances_{split}.json'
    file.write_text(json.dumps(content))


def write_image(path: Path, seed: int) -> None:
    """Write a noisy picture."""
    rng = np.random.default_rng(seed)
    cv2.imwrite(str(path), rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))


def xml(name: str) -> str:
    """A VOC annotation of one object; VOC counts pixels from 1."""
    corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), BOX)
    bndbox = ''.join(f'<{key}>{value + 1}</{key}>' for key, value in corners)
    return (
        f'<annotation><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>'
        f'<object><name>{name}</name><difficult>0</difficult>'
        f'<bndbox>{bndbox}</bndbox></object></annotation>'
    )


def moved(cfg: Any, root: Path) -> Any:
    """A copy of a config whose paths below ``data/`` lie below ``root``."""
    if isinstance(cfg, dict):
        return type(cfg)({key: moved(value, root) for key, value in cfg.items()})
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(moved(value, root) for value in cfg)
    if isinstance(cfg, str) and cfg.startswith('data/'):
        return str(root / cfg.removeprefix('data/'))
    return cfg
