"""Pictures of detections, one file for each image."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from mmmix.visualization import DrawingGuard, as_loaded


@HOOKS.register_module()
class DetectionPicturesHook(DetVisualizationHook):
    """mmdet's hook with a file for each tested image, which no other one replaces.

    mmdet names a picture after its image's file alone, so that of two images
    ``a/1.jpg`` and ``b/1.jpg`` only one picture is left. Here pictures keep the
    folders of their images, from the folder on that all images of the test have in
    common: images of one folder give the names that they give in mmdet.

    A picture that cannot be drawn is said once, and the test goes on. A photo that was
    loaded as it is stored, since its boxes are for that, is drawn so, and not as EXIF
    turns it.

    Args:
        *args: As of mmdet's ``DetVisualizationHook``.
        **kwargs: Likewise.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._visualizer = _OnLoaded(self._visualizer, self.backend_args)
        self._guard = DrawingGuard(type(self).__name__)
        self._folder: str | None = None
        self._root: str | None = None

    def before_test(self, runner: Runner) -> None:
        """Find the folder that the images of the test have in common."""
        if self.draw and self.test_out_dir is not None:
            self._folder = self.test_out_dir
            self._root = common_folder(runner.test_dataloader.dataset)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[DetDataSample],
    ) -> None:
        """Draw as mmdet does, without ending the run."""
        draw = super().after_val_iter
        self._guard(draw, runner, batch_idx, data_batch, outputs)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[DetDataSample],
    ) -> None:
        """Draw each image of a batch, into the folder of its own."""
        draw = super().after_test_iter
        for sample in outputs:
            if self._folder is not None:
                below = folder_below(sample.img_path, self._root)
                self.test_out_dir = osp.join(self._folder, below)
            self._guard(draw, runner, batch_idx, data_batch, [sample])


class _OnLoaded:
    """A visualizer that draws on images as they were loaded.

    Args:
        visualizer: That of the run.
        backend_args: How it reaches the files.
    """

    def __init__(
        self, visualizer: Visualizer, backend_args: Mapping[str, Any] | None
    ) -> None:
        self._visualizer, self._backend_args = visualizer, backend_args

    def add_datasample(
        self, name: str, image: np.ndarray, data_sample: DetDataSample, **more: Any
    ) -> None:
        """Draw an image, of which mmdet has read what EXIF makes of it."""
        where = data_sample.img_path, data_sample.get('ori_shape')
        image = as_loaded(image, *where, self._backend_args)
        self._visualizer.add_datasample(name, image, data_sample=data_sample, **more)


def common_folder(dataset: object) -> str | None:
    """The folder that holds all images of a data set, or None without one."""
    folders = {
        osp.dirname(dataset.get_data_info(index).get('img_path', ''))
        for index in range(len(dataset))
    }
    try:
        return osp.commonpath(folders)
    except ValueError:  # absolute and relative paths, several drives, no image
        return None


def folder_below(path: str, root: str | None) -> str:
    """The folder of an image, from a root on; ``''`` for the root itself."""
    folder = osp.dirname(path)
    below = folder if root is None else osp.relpath(folder, root)
    below = osp.splitdrive(below)[1].lstrip('/\\')
    # What lies outside of the root stays inside the folder of pictures.
    parts = [part for part in below.split('/') if part not in ('', '.', '..')]
    return osp.join(*parts) if parts else ''
