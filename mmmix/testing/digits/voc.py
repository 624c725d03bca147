"""Writes scenes in the layout of PASCAL VOC."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import cv2

from mmmix.testing.digits.scene import Glyph, Scene
from mmmix.testing.digits.settings import CLASSES

_JPEG_QUALITY = 95


def image_id(split: str, index: int) -> str:
    """The name of an image, without suffix."""
    return f'{split}_{index:05d}'


def write_scene(root: Path, name: str, scene: Scene) -> None:
    """Write ``JPEGImages/{name}.jpg`` and ``Annotations/{name}.xml``.

    Raises:
        OSError: If a file cannot be written.
    """
    path = root / 'JPEGImages' / f'{name}.jpg'
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    # mmdet's XMLDataset looks for .jpg and for no other suffix.
    ok, encoded = cv2.imencode('.jpg', scene.image[..., ::-1], options)
    if not ok:
        raise OSError(f'OpenCV cannot encode {path} as JPEG; its build lacks the codec')
    path.write_bytes(encoded.tobytes())
    tree = ET.ElementTree(annotation(name, scene))
    ET.indent(tree)
    tree.write(root / 'Annotations' / f'{name}.xml', encoding='utf-8')


def write_image_set(root: Path, split: str, names: list[str]) -> None:
    """Write ``ImageSets/Main/{split}.txt``, one image name a line."""
    path = root / 'ImageSets' / 'Main' / f'{split}.txt'
    path.write_text(''.join(f'{name}\n' for name in names), encoding='utf-8')


def annotation(name: str, scene: Scene) -> ET.Element:
    """The VOC annotation of a scene.

    Beside the usual fields ``source/image`` holds where the background comes from
    and ``object/sample`` the index of the source digit in scikit-learn's set.
    """
    root = ET.Element('annotation')
    _add(root, 'folder', 'JPEGImages')
    _add(root, 'filename', f'{name}.jpg')
    source = ET.SubElement(root, 'source')
    _add(source, 'database', 'mmmix digits')
    _add(source, 'image', scene.origin)
    size = ET.SubElement(root, 'size')
    height, width, depth = scene.image.shape
    _add(size, 'width', width)
    _add(size, 'height', height)
    _add(size, 'depth', depth)
    _add(root, 'segmented', 0)
    for glyph in scene.glyphs:
        root.append(_object(glyph))
    return root


def _object(glyph: Glyph) -> ET.Element:
    element = ET.Element('object')
    _add(element, 'name', CLASSES[glyph.label])
    _add(element, 'sample', glyph.sample)
    _add(element, 'pose', 'Unspecified')
    _add(element, 'truncated', 0)
    _add(element, 'difficult', 0)
    box = ET.SubElement(element, 'bndbox')
    # VOC counts pixels from 1 and includes both ends; readers subtract the 1.
    for key, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), glyph.box, strict=True):
        _add(box, key, value + 1)
    return element


def _add(parent: ET.Element, tag: str, value: object) -> None:
    ET.SubElement(parent, tag).text = str(value)
