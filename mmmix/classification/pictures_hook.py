"""Pictures of predicted classes, one file for each image."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.runner import Runner
from mmpretrain.engine.hooks import VisualizationHook
from mmpretrain.registry import HOOKS
from mmpretrain.structures import DataSample

from mmmix.engine.hooks.pictures.detection_pictures_hook import (
    common_folder,
    folder_below,
)
from mmmix.visualization import DrawingGuard


@HOOKS.register_module()
class ClassPicturesHook(VisualizationHook):
    """mmpretrain's hook with a file for each tested image, which no other one replaces.

    mmpretrain names a picture after its image's file alone, so that of two images
    ``cat/1.jpg`` and ``dog/1.jpg`` only one picture is left. Here pictures keep the
    folders of their images, in ``out_dir`` below the folder of the run's log. One that
    cannot be drawn is said once, and the test goes on.

    Args:
        **settings: As of mmpretrain's ``VisualizationHook``; all images are drawn.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**dict(settings, enable=True, interval=1))
        self._guard = DrawingGuard(type(self).__name__)
        self._folder = self._root = None
        self._drawn = 0

    def before_test(self, runner: Runner) -> None:
        """Find the folder that the images of the test have in common."""
        self._drawn = 0
        if self.out_dir is not None:
            self._folder = osp.join(runner.log_dir, self.out_dir)
            self._root = common_folder(runner.test_dataloader.dataset)

    def after_val_iter(self, *args: Any, **settings: Any) -> None:
        """Draw nothing: this is of tests."""

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Mapping[str, Any],
        outputs: Sequence[DataSample],
    ) -> None:
        """Draw each image of a batch, into the folder of its own."""
        for image, sample in zip(data_batch['inputs'], outputs):
            if self._folder is not None:
                below = folder_below(sample.get('img_path', ''), self._root)
                self.out_dir = osp.join(self._folder, below)
            # As batches of one, whose number names images without a file.
            one = dict(inputs=[image])
            self._guard(self._draw_samples, self._drawn, one, [sample])
            self._drawn += 1
