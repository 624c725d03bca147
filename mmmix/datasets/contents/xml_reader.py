"""Data sets in VOC layout: a list, and an XML file for each image."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mmmix.layouts.endings import in_any_case
from mmmix.layouts.namespaces import namespace_fault

from .reader import Reader
from .xml_faults import list_fault, object_of, xml_fault

_UNREADABLE = (
    OSError,
    ET.ParseError,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    LookupError,
)
"""What mmdet raises where an annotation is not as it expects."""


class XMLReader(Reader):
    """Notes what mmdet's ``XMLDataset`` finds and what it drops."""

    def replacements(self) -> dict[str, Callable]:
        """Also what reads one file, and its objects."""
        return {
            **super().replacements(),
            'parse_data_info': self.parse_data_info,
            '_parse_instance_info': self.parse_instances,
        }

    def parse_data_info(self, raw: Mapping) -> dict[str, Any]:
        """As the data set does; a file that it cannot read is noted and passed over."""
        self._namespace = None
        try:
            info = self.stock('parse_data_info', raw)
        except _UNREADABLE as error:
            self.contents.errors.add(partial(self._why, raw, error))
            return {**raw, 'img_path': '', 'instances': []}
        fault = self._namespace
        if fault:
            self.contents.errors.add(f'{info["xml_path"]}: {fault}')
        width, height = info.get('width', 1), info.get('height', 1)
        if min(width, height) < 1:
            self.contents.errors.add(
                f'{info["xml_path"]}: <size> states {width} x {height} pixels; write '
                'the size of the image, or delete <size>'
            )
            info = {**info, 'width': None, 'height': None}
        return info

    def parse_instances(self, raw: Any, minus_one: bool = True) -> list[dict]:
        """As the data set does, and count all names, those that it drops included."""
        self._namespace = namespace_fault(raw.getroot())
        instances = self.stock('_parse_instance_info', raw, minus_one=minus_one)
        self.contents.names.update(
            obj.findtext('name') for obj in raw.findall('object')
        )
        return instances

    def note_names(self, data_list: list[dict]) -> None:
        """They were counted file by file."""

    def place(self, info: Mapping) -> str:
        """The file of an image."""
        return str(info.get('xml_path') or super().place(info))

    def object_name(self, info: Mapping, number: int) -> str:
        """The number of the object in its file, counted from 1."""
        return object_of(info['xml_path'], self.dataset.metainfo['classes'], number)

    def _why(self, raw: Mapping, error: Exception) -> str:
        """What is wrong with a file that mmdet cannot read, or with its line."""
        if not getattr(self.dataset, 'labelled', True):  # the image, not an XML file
            fault = list_fault(self.contents.source, raw['img_id'])
            return fault or f'{self.contents.source}: {error}'
        if isinstance(error, FileNotFoundError):
            fault = list_fault(self.contents.source, raw['img_id'])
            return fault or self._missing(raw, error)
        path = in_any_case(raw['xml_path'])
        return xml_fault(path, self.dataset.metainfo['classes'], error)

    def _missing(self, raw: Mapping, error: FileNotFoundError) -> str:
        """A file that is not there, though the list names its image."""
        missing = error.filename or raw['xml_path']
        if missing != raw['xml_path']:
            path = in_any_case(raw['xml_path'])
            return f'{path} has no <size>, and there is no image {missing}'
        return (
            f'{missing} does not exist, and {self.contents.source} names its image; '
            "take it out of the list, or read images without labels by type='"
            "VOCLayoutDataset', labelled=False"
        )
