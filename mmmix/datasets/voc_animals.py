"""Six animals of VOC2012, made smaller: photographs to measure methods on."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from mmmix.layouts.writing import whole_folder

CLASSES = ('cat', 'cow', 'dog', 'horse', 'person', 'sheep')
JPEG_QUALITY = 85
Pixels = Callable[[np.ndarray], np.ndarray]


def write_animals(
    voc: Path,
    lists: Iterable[Path],
    out: Path,
    side: int = 256,
    progress: Callable[[Iterable[str]], Iterable[str]] = iter,
    pixels: Pixels = lambda image: image,
) -> int:
    """Write the images of some lists and their boxes of six classes in VOC layout.

    Args:
        voc: ``VOCdevkit/VOC2012``, or any folder of that layout.
        lists: Files with one id a line; each becomes ``ImageSets/Main/<name>``.
        out: Folder to make; it appears whole or not at all.
        side: The longer side of each image, in pixels; smaller ones stay.
        progress: Wraps the ids, to show how far it is.
        pixels: Applied to each image ((H, W, 3), uint8, BGR) before it is saved.

    Returns:
        The number of images.

    Raises:
        FileExistsError: If ``out`` exists.
        FileNotFoundError: If an image or its annotation is missing.
        ValueError: If an image cannot be decoded, or has another size than its
            annotation says.
    """
    with whole_folder(out) as draft:
        texts = {path.name: path.read_text(encoding='utf-8') for path in lists}
        ids = sorted({name for text in texts.values() for name in text.split()})
        for folder in ('Annotations', 'ImageSets/Main', 'JPEGImages'):
            (draft / folder).mkdir(parents=True)
        for name in progress(ids):
            _write_one(voc, draft, name, side, pixels)
        for name, text in texts.items():
            (draft / 'ImageSets/Main' / name).write_text(text, encoding='utf-8')
    return len(ids)


def _write_one(voc: Path, out: Path, name: str, side: int, pixels: Pixels) -> None:
    """Write one image and its annotation."""
    paths = voc / 'JPEGImages' / f'{name}.jpg', voc / 'Annotations' / f'{name}.xml'
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(
                f'{path} does not exist; give the folder VOC2012 of the VOC devkit'
            )
    image = cv2.imread(str(paths[0]))
    if image is None:
        raise ValueError(f'{paths[0]} cannot be decoded; get the file again')
    root = ET.parse(paths[1]).getroot()
    height, width = image.shape[:2]
    stated = root.findtext('size/width'), root.findtext('size/height')
    if stated != (str(width), str(height)):
        raise ValueError(
            f'{paths[0]} has {width} x {height} pixels, its annotation says '
            f'{stated[0]} x {stated[1]}'
        )
    scale = min(1.0, side / max(height, width))
    size = round(width * scale), round(height * scale)
    smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    cv2.imwrite(
        str(out / 'JPEGImages' / paths[0].name),
        pixels(smaller),
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    )
    ratios = size[0] / width, size[1] / height
    annotation = _annotation(root, paths[0].name, size, ratios)
    annotation.write(out / 'Annotations' / paths[1].name, encoding='utf-8')


def _annotation(
    root: ET.Element, file_name: str, size: tuple[int, int], ratios: tuple[float, float]
) -> ET.ElementTree:
    """The objects of the six classes, in the pixels of the smaller image.

    VOC counts pixels from 1 and includes the last one: a box covers what lies between
    its first pixel's left edge and its last pixel's right edge.
    """
    annotation = ET.Element('annotation')
    ET.SubElement(annotation, 'filename').text = file_name
    element = ET.SubElement(annotation, 'size')
    for key, value in zip(('width', 'height', 'depth'), (*size, 3)):
        ET.SubElement(element, key).text = str(value)
    for found in root.iter('object'):
        if found.findtext('name') not in CLASSES:
            continue
        item = ET.SubElement(annotation, 'object')
        ET.SubElement(item, 'name').text = found.findtext('name')
        ET.SubElement(item, 'difficult').text = found.findtext('difficult') or '0'
        box = ET.SubElement(item, 'bndbox')
        for key in ('xmin', 'ymin', 'xmax', 'ymax'):
            first, side = key.endswith('min'), key[0] == 'y'
            edge = float(found.findtext(f'bndbox/{key}')) - first
            pixel = round(edge * ratios[side]) + first
            limit = size[side]
            ET.SubElement(box, key).text = str(min(max(pixel, 1), limit))
    ET.indent(annotation)
    return ET.ElementTree(annotation)
