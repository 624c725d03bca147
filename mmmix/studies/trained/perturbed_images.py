"""Images of a robustness study: decoded once, perturbed once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.registry import TRANSFORMS
from mmengine.dataset import BaseDataset

from mmmix.studies.trained.loaded_detector import LoadedDetector
from mmmix.studies.trained.perturbation_list import Perturbation

Info = Mapping[str, Any]


class DecodedImages:
    """The images of a data set, decoded once as far as memory allows.

    Args:
        detector: Its test pipeline says how images are decoded.
        dataset: The data set.
        budget: Bytes of images to keep; what goes beyond is decoded each time.
    """

    def __init__(
        self, detector: LoadedDetector, dataset: BaseDataset, budget: float
    ) -> None:
        self._detector = detector
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
            image = self._detector.read_image(info)
            image.flags.writeable = False
            self.decoded += 1
            if image.nbytes <= self._left:
                self._left -= image.nbytes
                self._kept[index] = image
        # Classifiers' data sets have no ids, which draws depend on.
        return image, {'img_id': index, **info}


class PerturbedImages:
    """A batch of images, perturbed once for all models of one preprocessor.

    Args:
        images: Each ``(H, W, 3)`` uint8 BGR.
        infos: Their entries of the data set; draws depend on ``img_id``.
        perturbation: What is done to them.
        seed: Seed of all draws.
        fill: Colour of holes, ``'mean'`` or ``'black'``.
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        infos: Sequence[Info],
        perturbation: Perturbation,
        seed: int,
        fill: str,
    ) -> None:
        self._images = images
        self.infos = infos
        self._perturbation = perturbation
        self._seed, self._fill = seed, fill
        self._made: dict[str, list[np.ndarray]] = {}

    def for_model(self, detector: LoadedDetector) -> Sequence[np.ndarray]:
        """The images as a model of this preprocessor sees them."""
        cfg = self._perturbation.transform(detector, self._seed, self._fill)
        if cfg is None:
            return self._images
        key = json.dumps(cfg)
        if key not in self._made:
            # with its scope: the model may be of mmpretrain
            transform = TRANSFORMS.build({**cfg, 'type': f'mmdet.{cfg["type"]}'})
            self._made[key] = [
                transform({**info, 'img': image})['img']
                for image, info in zip(self._images, self.infos)
            ]
        return self._made[key]
