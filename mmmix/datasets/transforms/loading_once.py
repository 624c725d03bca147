"""Loading images once, for data sets that fit into memory."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from mmdet.registry import TRANSFORMS
from mmengine.logging import print_log

from .loading import CheckedLoadImageFromFile

MEGABYTE = 2**20


@TRANSFORMS.register_module()
class LoadImageOnce(CheckedLoadImageFromFile):
    """``CheckedLoadImageFromFile`` that keeps what it has decoded.

    Each process has a memory of its own: with ``num_workers`` above 0, set
    ``persistent_workers``, or it is lost after every epoch.

    Args:
        max_megabytes: Decoded images to keep at most; what goes beyond is decoded each
            time, which a warning says once.
        **kwargs: Those of ``CheckedLoadImageFromFile``.

    Raises:
        ValueError: If ``max_megabytes`` is negative.
    """

    def __init__(self, max_megabytes: int = 2048, **kwargs: Any) -> None:
        if max_megabytes < 0:
            raise ValueError(f'max_megabytes: expected >= 0, got {max_megabytes}')
        super().__init__(**kwargs)
        self.max_megabytes = max_megabytes
        self._kept: dict[str, np.ndarray] = {}
        self._free = max_megabytes * MEGABYTE
        self._full = False

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Load ``results['img_path']``, from memory where it was loaded before."""
        path = str(results['img_path'])
        if path in self._kept:
            # a copy: later transforms may write into it
            results['img'] = image = self._kept[path].copy()
            results['img_shape'] = results['ori_shape'] = image.shape[:2]
            return results
        loaded = super().transform(results)
        if loaded is not None:
            self._keep(path, loaded['img'])
        return loaded

    def _keep(self, path: str, image: np.ndarray) -> None:
        """Remember an image if there is room."""
        if image.nbytes <= self._free:
            self._free -= image.nbytes
            self._kept[path] = image.copy()
        elif not self._full:
            self._full = True
            print_log(
                f'LoadImageOnce: {len(self._kept)} images fill max_megabytes='
                f'{self.max_megabytes}; further ones are decoded each time',
                logger='current',
                level=logging.WARNING,
            )

    def __repr__(self) -> str:
        return f'{super().__repr__()[:-1]}, max_megabytes={self.max_megabytes})'
