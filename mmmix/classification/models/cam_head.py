"""A linear head that shows where it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.models import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

PRED_CAM, GT_CAM = 'pred_cam', 'gt_cam'
"""Fields of a predicted sample: the maps of the predicted and of the true class."""


@MODELS.register_module()
class CAMHead(LinearClsHead):
    """Averages the backbone's maps, classifies, and keeps class activation maps.

    "Learning Deep Features for Discriminative Localization" (CVPR 2016): with the
    features f_k and the weights w_ck of the linear layer, the map of class c is
    Σ_k w_ck f_k(x, y), whose mean is the score of c without its bias.

    It takes the place of a ``GlobalAveragePooling`` neck and a ``LinearClsHead``, whose
    parameters and state-dict keys it has: checkpoints of either load in the other.
    ``predict`` adds ``pred_cam``, ``(h, w)``, of the class with the highest score, and
    ``gt_cam`` of the true class where a sample has a label.
    """

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """The mean of the last maps over the cells, ``(N, C)``.

        Raises:
            ValueError: If they were pooled before.
        """
        if feats[-1].dim() != 4:
            raise ValueError(
                'CAMHead pools by itself and expects maps (N, C, h, w), got '
                f'{tuple(feats[-1].shape)}; set model.neck=None'
            )
        return feats[-1].mean(dim=(2, 3))

    def activation_maps(self, maps: Tensor, labels: Tensor) -> Tensor:
        """One class's map of each image.

        Args:
            maps: ``(N, C, h, w)``, the last features.
            labels: ``(N,)``.

        Returns:
            ``(N, h, w)``.
        """
        return torch.einsum('nchw,nc->nhw', maps, self.fc.weight[labels])

    def predict(
        self,
        feats: tuple[Tensor, ...],
        data_samples: Sequence[DataSample | None] | None = None,
    ) -> list[DataSample]:
        """Predictions with their maps; see ``LinearClsHead``."""
        samples = super().predict(feats, data_samples)
        wanted: dict[str, Any] = {
            PRED_CAM: [sample.pred_label for sample in samples],
            GT_CAM: [sample.get('gt_label') for sample in samples],
        }
        for name, labels in wanted.items():
            if any(label is None or len(label) != 1 for label in labels):
                continue
            maps = self.activation_maps(
                feats[-1], torch.cat(labels).to(feats[-1].device)
            )
            for sample, cam in zip(samples, maps):
                sample.set_field(cam, name)
        return samples
