"""The anchors of a batch, made once for all steps of one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmdet.structures.bbox import get_box_tensor
from torch import Tensor

Key = tuple[tuple[tuple[int, int], ...], torch.device]


class AnchorGrid(NamedTuple):
    """All A anchors of a batch, level by level.

    Attributes:
        key: (height, width) of each level in cells, and the device.
        anchors: ``(A, 4)``.
        origins: ``(A, 2)``, upper left corner (x, y) of each anchor's cell.
        levels: Number of anchors of each level.
        last: Origin (x, y) of the last cell of all levels.
        checked: Sizes of images that are known to have an anchor inside.
    """

    key: Key
    anchors: Tensor
    origins: Tensor
    levels: list[int]
    last: tuple[float, float]
    checked: set[Any]

    @classmethod
    def of(
        cls, generator: Any, maps: Sequence[Tensor], last: AnchorGrid | None = None
    ) -> AnchorGrid:
        """The anchors of a generator; those of the last batch if its size was this.

        Args:
            generator: An ``AnchorGenerator`` of mmdet.
            maps: Of each level ``(N, channels, height, width)``.
            last: The grid of the last batch.
        """
        sizes = tuple((level.shape[-2], level.shape[-1]) for level in maps)
        key = (sizes, maps[0].device)
        if last is not None and last.key == key:
            return last
        levels = [
            get_box_tensor(anchors)
            for anchors in generator.grid_priors(sizes, device=maps[0].device)
        ]
        origins = []
        for (height, width), stride, count in zip(
            sizes, generator.strides, generator.num_base_priors
        ):
            rows, columns = torch.meshgrid(
                torch.arange(height), torch.arange(width), indexing='ij'
            )
            cells = torch.stack([columns * stride[0], rows * stride[1]], dim=-1)
            origins.append(cells.view(-1, 2).repeat_interleave(count, dim=0))
        corners = [(w - 1) * x for (_, w), (x, _) in zip(sizes, generator.strides)]
        lower = [(h - 1) * y for (h, _), (_, y) in zip(sizes, generator.strides)]
        anchors, counts = torch.cat(levels), [len(level) for level in levels]
        ends = max(corners), max(lower)
        return cls(key, anchors, torch.cat(origins).to(anchors), counts, ends, set())

    def outside(self, metas: Sequence[dict[str, Any]], border: float) -> Tensor | None:
        """Anchors that are not trained in each image, ``(N, A)`` bool; None for none.

        Those of cells beyond ``pad_shape``, and those that reach over the edge of
        ``img_shape`` by more than a border.

        Args:
            metas: Of N images.
            border: ``allowed_border``; negative for no bound.

        Raises:
            ValueError: If an image has no anchor inside. Where there is a border, a
                value is read for it, once for each size.
        """
        ends = [tuple(meta['pad_shape'][1::-1]) for meta in metas]
        if border < 0 and all(x > self.last[0] and y > self.last[1] for x, y in ends):
            return None
        sides = [tuple(meta['img_shape'][1::-1]) for meta in metas]
        limits = torch.tensor(list(zip(ends, sides)), dtype=self.anchors.dtype)
        limits = limits.to(self.anchors.device, non_blocking=True)[:, :, None]
        out = (self.origins >= limits[:, 0]).any(dim=-1)
        if border >= 0:
            out |= (self.anchors[:, :2] < -border).any(dim=-1)
            out |= (self.anchors[:, 2:] >= limits[:, 1] + border).any(dim=-1)
            if not self.checked.issuperset(zip(ends, sides)):
                _check_inside(out, metas)
                self.checked.update(zip(ends, sides))
        return out


def flat_predictions(maps: Sequence[Tensor], width: int) -> Tensor:
    """Predictions of all levels in the order of the anchors, ``(N, A, width)``.

    Args:
        maps: Of each level ``(N, num_anchors * width, height, width)``.
        width: Numbers of an anchor.
    """
    flat = [m.permute(0, 2, 3, 1).reshape(len(m), -1, width) for m in maps]
    return torch.cat(flat, dim=1)


def _check_inside(out: Tensor, metas: Sequence[dict[str, Any]]) -> None:
    """Refuse images all of whose anchors are outside."""
    for meta, none in zip(metas, out.all(dim=1).tolist()):
        if none:
            raise ValueError(
                f'{meta.get("img_path", "an image")} of (height, width) '
                f'{tuple(meta["img_shape"][:2])} has no anchor inside of it; expected '
                'one at least. Check the sizes of image and anchors, or set '
                "allowed_border=-1 in the head's train_cfg"
            )
