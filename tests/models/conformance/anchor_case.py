"""A Case of heads that predict levels of scores and of offsets for anchors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from mmdet.structures.bbox import cat_boxes
from torch import Tensor

from .case import Case, FreeLogits, flat


class AnchorCase(Case):
    """What such cases have in common.

    Attributes:
        maps: Side of each level's map.
        priors: Anchors of a cell.
        width: Scores of an anchor.
        free: Settings of ``build`` with which the classification is linear in its
            target, and nothing is left out.
        boxes: Objects of ``free_logits``, moved by a multiple of the strides that they
            match at, so that both have as many anchors.
        labels: Theirs.
    """

    exact = False
    maps: ClassVar[tuple[int, ...]]
    priors: ClassVar[int]
    width: ClassVar[int]
    free: ClassVar[dict]
    boxes: ClassVar[tuple[tuple[float, ...], ...]]
    labels: ClassVar[tuple[int, int]] = (3, 7)

    @abstractmethod
    def owners(self, anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """The box of each anchor, (A,); negative for none."""

    def probabilities(self, logits: Tensor) -> Tensor:
        """Of (A, width) scores."""
        return logits.sigmoid()

    def anchors(self, head: Any) -> np.ndarray:
        """All anchors, (A, 4)."""
        sizes = [(side, side) for side in self.maps]
        return cat_boxes(head.prior_generator.grid_priors(sizes, device='cpu')).numpy()

    def predictions(
        self, num_images: int = 3, seed: int = 0, scale: float = 1.0
    ) -> tuple[list[Tensor], ...]:
        generator = torch.Generator().manual_seed(seed)
        return tuple(
            [
                torch.randn(
                    (num_images, self.priors * width, side, side), generator=generator
                )
                .mul_(scale)
                .requires_grad_()
                for side in self.maps
            ]
            for width in (self.width, 4)
        )

    def one(self, preds: Any, index: int) -> Any:
        return tuple(
            [level.detach()[index : index + 1].requires_grad_() for level in maps]
            for maps in preds
        )

    def leaves(self, preds: Any) -> list[Tensor]:
        return [*preds[0], *preds[1]]

    def regressed(self, head: Any, preds: Any, batch: Any, side: Any) -> list:
        anchors = self.anchors(head)
        (name,) = self.reg
        loss = self.totals(head, preds, batch)[name]
        touched = flat(torch.autograd.grad(loss, preds[1]), 4).abs().sum(-1) > 0
        return [
            (image.numpy(), self.owners(anchors, instances.bboxes.numpy()) >= 0)
            for image, instances in zip(touched, side.gt_instances)
        ]

    def free_logits(self) -> FreeLogits:
        _, mix = self.build(**self.free)
        boxes = torch.tensor(self.boxes)
        sides = [self.batch((1,), seed) for seed in (1, 2)]
        for side, box, label in zip(sides, boxes, self.labels):
            side.gt_instances[0].bboxes = box[None]
            side.gt_instances[0].labels = torch.tensor([label])
        preds = self.predictions(1, scale=0.0)

        def probability(k: int) -> Tensor:
            owners = self.owners(self.anchors(mix), boxes[k : k + 1].numpy())
            probs = self.probabilities(flat(preds[0], self.width)[0])
            return probs[torch.tensor(owners >= 0), self.labels[k]]

        return FreeLogits(mix, sides, preds, preds[0], self.cls, probability)

    def autocast(self, head: Any) -> tuple[Any, Any, torch.dtype]:
        feats = [torch.randn(3, 4, side, side) for side in self.maps]
        with torch.autocast('cpu', dtype=torch.bfloat16):
            preds = head(feats)
        return preds, [[m.float() for m in maps] for maps in preds], preds[0][0].dtype
