"""Images of a study, decoded once for all models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from mmengine.dataset import BaseDataset

Info = Mapping[str, Any]

MEMORY = 1e9
"""Bytes of decoded images to keep, where a command does not ask how many."""


class Reader(Protocol):
    """What decodes images, such as a ``LoadedDetector``."""

    def read_image(self, info: Info) -> np.ndarray:
        """Decode the image of an entry of a data set, ``(H, W, 3)`` uint8."""


class DecodedImages:
    """The images of a data set, decoded once as far as memory allows.

    Args:
        reader: Decodes them.
        dataset: The data set.
        budget: Bytes of images to keep; what goes beyond is decoded each time.
    """

    def __init__(self, reader: Reader, dataset: BaseDataset, budget: float) -> None:
        self._reader = reader
        self._dataset = dataset
        self._left = budget
        self._kept: dict[int, np.ndarray] = {}
        self.decoded = 0

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[np.ndarray, Info]:
        """``(H, W, 3)`` uint8 BGR, not to be written to, and its info."""
        info = self._dataset.get_data_info(index)
        image = self._kept.get(index)
        if image is None:
            image = self._reader.read_image(info)
            image.flags.writeable = False
            self.decoded += 1
            if image.nbytes <= self._left:
                self._left -= image.nbytes
                self._kept[index] = image
        # Classifiers' data sets have no ids, which draws depend on.
        return image, {'img_id': index, **info}
