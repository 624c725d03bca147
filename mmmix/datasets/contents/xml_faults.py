"""What is wrong with an annotation in VOC layout, found out after mmdet failed."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


def xml_fault(path: str, classes: Sequence[str], error: Exception) -> str:
    """What is wrong with a file.

    Args:
        path: The file.
        classes: The names whose objects are read.
        error: What mmdet raised.

    Returns:
        The file, the object and the fix; the error itself if nothing else is found.
    """
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as parse_error:
        return f'{path} is not whole XML: {parse_error}; export it again'
    except (OSError, ValueError, LookupError) as read_error:
        return f'{path} cannot be read: {read_error}; export it again'
    fault = next(_faults(root, classes), f'{type(error).__name__}: {error}')
    return f'{path}: {fault}'


def _faults(root: ET.Element, classes: Sequence[str]) -> Iterator[str]:
    """All that would stop mmdet, in the order of the file."""
    size = root.find('size')
    for side in ('width', 'height') if size is not None else ():
        text = size.findtext(side)
        if not _is_whole_number(text):
            yield f'<{side}> of <size> is {text!r}; write a whole number of pixels'
    for number, obj in enumerate(root.findall('object'), 1):
        name = obj.findtext('name')
        if name is None:
            yield f'object {number} has no <name>; write its class'
        if name not in classes:
            continue
        yield from (
            f'object {number} ({name}) {fault}' for fault in _object_faults(obj)
        )


def _object_faults(obj: ET.Element) -> Iterator[str]:
    """What is wrong with one object."""
    difficult = obj.find('difficult')
    if difficult is not None and not _is_whole_number(difficult.text):
        yield f'has {difficult.text or ""!r} as <difficult>; write 0 or 1, or delete it'
    box = obj.find('bndbox')
    if box is None:
        yield 'has no <bndbox>; draw its box, or delete the object'
        return
    for corner in CORNERS:
        text = box.findtext(corner)
        if text is None:
            yield f'has no <{corner}> in <bndbox>; draw its box again'
        elif not _is_finite(text):
            yield f'has {text!r} as <{corner}>; write a finite number of pixels'


def object_of(path: str, classes: Sequence[str], number: int) -> str:
    """The name of an object for messages.

    Args:
        path: Its file.
        classes: The names whose objects are read.
        number: Its place among those that are read, from 0.
    """
    read = [
        f'object {place} ({obj.findtext("name")})'
        for place, obj in enumerate(ET.parse(path).getroot().findall('object'), 1)
        if obj.findtext('name') in classes
    ]
    return read[number] if number < len(read) else f'box {number + 1}'


def list_fault(path: str, name: str) -> str | None:
    """What is wrong with a line of a list of images; None if nothing is to be seen.

    Args:
        path: The list.
        name: A name as mmdet has read it.
    """
    if name.startswith('\ufeff'):
        return f'{path} starts with a byte-order mark; save it as UTF-8 without one'
    lines = Path(path).read_text(encoding='utf-8').split('\n')
    stripped = [line.strip('\r') for line in lines]
    line = stripped.index(name) + 1 if name in stripped else '?'
    if not name.strip():
        return f'{path}: line {line} is blank; delete it'
    if name != name.strip():
        return f'{path}: line {line}, {name!r}, has spaces around its name; delete them'
    if len(name.split()) > 1:
        return (
            f'{path}: line {line}, {name!r}, is more than a name; is this a list of '
            'one class, with 1 and -1? Take that of the whole split'
        )
    if Path(name).suffix.lower() in ('.jpg', '.jpeg', '.png', '.xml'):
        return f'{path}: line {line}, {name!r}, has an extension; write names without'
    return None


def _is_whole_number(text: str | None) -> bool:
    try:
        int(text)
    except (TypeError, ValueError):
        return False
    return True


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
