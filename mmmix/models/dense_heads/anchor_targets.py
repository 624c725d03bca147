"""Targets of all anchors, for all images and parts of a batch at once.

Shape shorthand: K parts, N images, A anchors of an image, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.task_modules.samplers import PseudoSampler
from torch import Tensor

from mmmix.mixing.untraced import untraced
from mmmix.models.batch_assignment import assign_batch
from mmmix.models.padded_boxes import PaddedBoxes, boxes_of
from mmmix.models.prior_targets import PriorTargets
from mmmix.structures import Annotations

from .anchor_grid import AnchorGrid


class BatchTargets:
    """Mixin for subclasses of ``AnchorHead``: targets of a whole batch at once.

    They are those of ``MaxIoUAssigner`` and ``PseudoSampler``. Other assigners and
    samplers are asked image by image, as mmdet does; the log says so once.
    """

    _last_grid: AnchorGrid | None = None

    @untraced  # images have any number of boxes
    @torch.no_grad()
    def batch_targets(
        self, maps: Sequence[Tensor], parts: Sequence[Annotations]
    ) -> PriorTargets:
        """Targets of all anchors and parts.

        Args:
            maps: Predictions of each level, ``(N, channels, height, width)``.
            parts: K batches of N images.

        Raises:
            ValueError: If an image has no anchor inside of it.
        """
        anchors, padded, owners = self.batch_owners(maps, parts, PseudoSampler)
        num_classes, pos_weight = self.num_classes, self.train_cfg['pos_weight']
        return PriorTargets.of(anchors, padded, owners, parts, num_classes, pos_weight)

    @untraced
    def batch_owners(
        self, maps: Sequence[Tensor], parts: Sequence[Annotations], sampler: type
    ) -> tuple[Tensor, PaddedBoxes, Tensor]:
        """The box that each anchor belongs to.

        Args:
            maps: As :meth:`batch_targets`.
            parts: Likewise.
            sampler: The sampler whose work the caller does.

        Returns:
            Anchors, ``(A, 4)``; the boxes of all parts; owners, ``(K N, A)``.
        """
        grid = AnchorGrid.of(self.prior_generator, maps, self._last_grid)
        self._last_grid = grid
        metas = parts[0].metas
        out = grid.outside(metas, self.train_cfg['allowed_border'])
        instances, ignored = boxes_of(parts)
        padded = PaddedBoxes.of(instances, grid.anchors)
        owners = assign_batch(self, sampler, grid.anchors, padded, ignored, out)
        return grid.anchors, padded, owners
