"""Targets of two components on the same anchors."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmmix.functional import boxmix_cls_losses, transported_cls_losses
from mmmix.functional.soft_losses import ClsLosses
from mmmix.models.alignmix.transport import Transport
from mmmix.structures import COMPONENT_WEIGHT, TRANSPORT

Size = tuple[int, int]


class Levels(NamedTuple):
    """How a head's anchors are laid out: level by level, row by row, cell by cell.

    Attributes:
        sizes: (height, width) of each level in cells.
        priors: Anchors per cell of each level.
    """

    sizes: list[Size]
    priors: list[int]

    def carry(self, transport: Transport, labels: Tensor) -> Tensor:
        """Soft labels of component 1's anchors, carried to component 0's.

        Anchor k of a cell takes those of anchor k of the cells that the cell's
        content comes from.

        Args:
            transport: The image's.
            labels: ``(A, L)`` shares of L labels; rows of 0 for anchors that are
                to be left out.

        Returns:
            ``(A, L)``.
        """
        counts = [h * w * k for (h, w), k in zip(self.sizes, self.priors)]
        carried = []
        for size, level in zip(self.sizes, labels.split(counts)):
            maps = level.reshape(*size, -1).permute(2, 0, 1)
            maps = transport.carry(maps).permute(1, 2, 0)
            carried.append(maps.reshape(-1, labels.shape[1]))
        return torch.cat(carried)


class ImageTerms(NamedTuple):
    """What an image adds to the loss.

    Attributes:
        cls: Classification loss, and n for its normaliser.
        boxes: Targets and weights of the offsets, each ``(A, 4)``.
        num_boxes: n for the normaliser of the offsets' loss.
    """

    cls: ClsLosses
    boxes: tuple[Tensor, Tensor]
    num_boxes: float


class PairTargets(NamedTuple):
    """Targets of two components, one entry per image.

    Attributes:
        labels: Pairs of ``(A,)`` labels in [0, C]; C is background.
        weights: Pairs of ``(A,)`` label weights.
        boxes: Pairs of (targets, weights), each ``(A, 4)``.
    """

    labels: list[tuple[Tensor, Tensor]]
    weights: list[tuple[Tensor, Tensor]]
    boxes: list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]]

    def of_image(
        self,
        index: int,
        log_probs: Tensor,
        meta: dict[str, Any],
        levels: Levels,
        neg_pos_ratio: float,
        positives: str,
    ) -> ImageTerms:
        """What an image adds to the loss.

        Args:
            index: The image.
            log_probs: ``(A, C + 1)``, float32.
            meta: Metainfo of component 0, with its weight λ and, if features were
                aligned, the transport.
            levels: Layout of the anchors.
            neg_pos_ratio: Mined negatives per positive.
            positives: Rule of the positives.
        """
        labels, weights, boxes = self.labels[index], self.weights[index], self.boxes
        lam, transport = meta[COMPONENT_WEIGHT], meta.get(TRANSPORT)
        settings = (lam, neg_pos_ratio, positives)
        if transport is None:
            cls = boxmix_cls_losses(log_probs, labels, weights, *settings)
            return ImageTerms(cls, boxes[index][0 if lam > 0.5 else 1], cls.num_pos)
        shares = F.one_hot(labels[1], log_probs.shape[1]).to(log_probs)
        carried = levels.carry(transport, shares * weights[1][:, None])
        cls = transported_cls_losses(
            log_probs, labels[0], weights[0], carried, *settings
        )
        matched = labels[0] < log_probs.shape[1] - 1
        return ImageTerms(cls, boxes[index][0], int(matched.sum()))
