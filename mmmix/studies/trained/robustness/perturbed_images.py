"""Images of a robustness study, perturbed once for all models."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from mmdet.registry import TRANSFORMS

from mmmix.studies.trained.images.decoded import Info
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.robustness.perturbations import Perturbation


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
            # Corruptions are made for photographs; the others know no colours.
            order = detector.in_own_order if self._perturbation.common else _as_it_is
            self._made[key] = [
                order(transform({**info, 'img': order(image)})['img'])
                for image, info in zip(self._images, self.infos)
            ]
        return self._made[key]


def _as_it_is(image: np.ndarray) -> np.ndarray:
    return image
