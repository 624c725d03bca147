"""Pictures of the batches a run really trains on."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.mixing.checks import check_integer
from mmmix.visualization import DrawingGuard, class_names, draw_branches


@HOOKS.register_module()
class MixPreviewHook(Hook):
    """Save the first batches of every run as the network sees them.

    The pictures show the mixed images with their boxes, coloured by component
    and labelled with its weight. They go to the runner's visualizer as
    ``mix_preview``, that is to ``<work_dir>/<time>/vis_data/vis_image`` and to
    TensorBoard or the like where configured. A batch of several branches makes a
    picture of each, ``mix_preview_sup`` for one; what a teacher's student learns
    from is mixed later, and shown by ``TeacherPreviewHook``. What cannot be drawn is
    said once, and training goes on.

    Args:
        num_batches: How many batches of a run to save.
        max_images: How many images of a batch to show.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a number is negative.
    """

    def __init__(self, num_batches: int = 2, max_images: int = 8) -> None:
        for name, number in (('num_batches', num_batches), ('max_images', max_images)):
            check_integer(name, number, least=0)
        self.num_batches = num_batches
        self.max_images = max_images

    def before_train(self, runner: Runner) -> None:
        """Listen to the preprocessor, or a mixer after it, for the first batches."""
        if not is_main_process() or not self.num_batches or not self.max_images:
            return
        model = unwrapped_model(runner)
        self._left = self.num_batches
        self._guard = DrawingGuard(type(self).__name__)
        dataset = runner.train_dataloader.dataset
        self._classes = class_names(getattr(dataset, 'metainfo', None))
        preprocessor = model.data_preprocessor
        mixer = getattr(model, 'mixer', None)  # of LevelMixDetector

        def listen(module: nn.Module, _: Any, output: Any) -> None:
            if not runner.model.training:
                return
            if module is mixer:
                output = dict(zip(('inputs', 'data_samples'), output))
            self._guard(self._save, runner, preprocessor, output)
            self._left -= 1
            if not self._left:
                handle.remove()

        # A compiled step calls it as it is: nothing in it is worth tracing.
        listen = torch.compiler.disable(listen)
        handle = (mixer or preprocessor).register_forward_hook(listen)

    def _save(self, runner: Runner, preprocessor: nn.Module, data: Any) -> None:
        """Draw one batch."""
        pictures = draw_branches(
            preprocessor, data, classes=self._classes, max_images=self.max_images
        )
        for name, picture in pictures.items():
            title = f'mix_preview_{name}' if name else 'mix_preview'
            runner.visualizer.add_image(title, picture, step=runner.iter)
