"""XML files whose elements have a namespace, under which nothing looks for them."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def namespace_fault(root: ET.Element) -> str | None:
    """What to do about the namespace of a file; None if it has none.

    ``<annotation xmlns="...">`` calls each ``<object>`` in it otherwise, so that
    readers of VOC's files find none and take the image for an empty one.

    Args:
        root: The first element of the file.
    """
    if not root.tag.startswith('{'):
        return None
    name = root.tag[1:].partition('}')[0]
    return (
        f'its elements have the namespace {name!r}, and nothing finds an <object> in '
        f'it; delete xmlns="{name}" from the first element'
    )
