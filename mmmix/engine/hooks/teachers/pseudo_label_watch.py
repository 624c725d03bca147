"""A teacher that finds nothing, noticed without waiting for the device."""

from __future__ import annotations

import logging

import torch
from mmengine.dist import all_reduce
from mmengine.logging import print_log
from torch import Tensor


class PseudoLabelWatch:
    """Warns when block after block of iterations brings no pseudo-box.

    The boxes of a block are added up on their device and read at its end only.

    Args:
        patience: Iterations in a block; 0 switches the watch off.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._forget()

    def _forget(self) -> None:
        self._boxes = torch.zeros(())
        self._seen = 0

    def add(self, count: Tensor | float, done: int) -> None:
        """Take the pseudo-boxes of an iteration; warn at the end of an empty block.

        Args:
            count: Number of pseudo-boxes in this process, or their mean.
            done: Number of finished iterations.
        """
        if not self._patience:
            return
        self._boxes = self._boxes + torch.as_tensor(count).detach()
        self._seen += 1
        if self._seen < self._patience:
            return
        all_reduce(self._boxes)
        if not self._boxes.item():
            print_log(
                f'No pseudo-label survived in the last {self._seen} iterations (until '
                f'{done}): the student learns nothing from unlabelled images. Compare '
                'pseudo_score of earlier iterations with the threshold, semi_train_cfg.'
                'cls_pseudo_thr; a teacher that finds nothing needs a longer burn_in',
                logger='current',
                level=logging.WARNING,
            )
        self._forget()
