"""Small data sets that are odd or broken in one way each, as strangers' files are."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48
PIPELINE = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs'),
]
Write = Callable[[Path], None]


def xml(
    box: Any = (5, 6, 30, 40),
    name: str = '<name>cat</name>',
    more: str = '',
    size: str = f'<width>{WIDTH}</width><height>{HEIGHT}</height>',
) -> str:
    """An annotation in VOC layout with one object; ``box`` may be any text."""
    if not isinstance(box, str):
        corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), box)
        inner = ''.join(f'<{key}>{value}</{key}>' for key, value in corners)
        box = f'<bndbox>{inner}</bndbox>'
    stated = f'<size>{size}</size>' if size else ''
    return f'<annotation>{stated}<object>{name}{more}{box}</object></annotation>'


def picture() -> np.ndarray:
    """Noise of ``HEIGHT`` x ``WIDTH``."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def write_voc(root: Path, text: str | None = None, names: bytes = b'a\n') -> None:
    """VOC layout with one image ``a``, one cat, and one dog more in ``b``."""
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / folder).mkdir(parents=True)
    for name in 'ab':
        cv2.imwrite(str(root / f'JPEGImages/{name}.jpg'), picture())
    (root / 'Annotations/a.xml').write_text(xml() if text is None else text)
    (root / 'Annotations/b.xml').write_text(xml(name='<name>dog</name>'))
    (root / 'ImageSets/Main/train.txt').write_bytes(names + b'b\n')


def voc_config(root: Path, **more: Any) -> dict[str, Any]:
    """The data set of :func:`write_voc`."""
    return dict(
        type='XMLDataset',
        data_root=str(root),
        ann_file='ImageSets/Main/train.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=('cat', 'dog')),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=PIPELINE,
        **more,
    )


def coco_content() -> dict[str, Any]:
    """COCO format with two images, a cat in the first and a dog in the second."""
    size = dict(width=WIDTH, height=HEIGHT)
    box = dict(bbox=[5, 6, 25, 34], area=850, iscrowd=0)
    return dict(
        images=[dict(id=k, file_name=f'{k}.jpg', **size) for k in (1, 2)],
        annotations=[dict(id=k, image_id=k, category_id=k, **box) for k in (1, 2)],
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
    )


def write_coco(root: Path, content: Any) -> None:
    """Write COCO format; bytes are written as they are."""
    for k in (1, 2):
        cv2.imwrite(str(root / f'{k}.jpg'), picture())
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    (root / 'train.json').write_bytes(text)


def coco_config(root: Path, **more: Any) -> dict[str, Any]:
    """The data set of :func:`write_coco`."""
    return dict(
        type='CocoDataset',
        data_root=str(root),
        ann_file='train.json',
        data_prefix=dict(img=''),
        metainfo=dict(classes=('cat', 'dog')),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=PIPELINE,
        **more,
    )


def png_head(width: int, height: int, rest: bytes = b'') -> bytes:
    """A PNG file that states a size and holds what it likes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)

    head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    body = chunk(b'IHDR', head) + chunk(b'IDAT', rest) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + body


def encoded(mode: str, kind: str, **options: Any) -> bytes:
    """A picture in a mode of Pillow and a format."""
    import io

    file = io.BytesIO()
    Image.fromarray(picture()).convert(mode).save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> bytes:
    """A JPEG that an EXIF tag turns."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded('RGB', 'JPEG', exif=exif, quality=95)
