"""Pictures of what a teacher's student learns from."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.mixing.checks import check_integer
from mmmix.models.teachers.branches import Batch
from mmmix.visualization import DrawingGuard, class_names, draw_preprocessed_batch


@HOOKS.register_module()
class TeacherPreviewHook(Hook):
    """Save batches of a ``MixTeacher`` or ``MixedDomainTeacher`` as pictures.

    Of an iteration there is a picture of each term's batch, mixed as the student
    sees it, say ``preview_sup`` or ``preview_mst``, and of the unlabelled images
    with the teacher's labels: ``preview_weak``, the teacher's view with its scores,
    and ``preview_strong``, the student's before it is mixed. Boxes are coloured by
    component and labelled with its weight; boxes to ignore are grey. Pictures go to
    the runner's visualizer, that is to ``<work_dir>/<time>/vis_data/vis_image``.

    Shown are the first iterations of a run, the first ones after burn-in, and one
    in every ``interval``. What cannot be drawn is said once, and training goes on.

    Args:
        num_batches: How many iterations to show of a run and after its burn-in.
        max_images: How many images of a batch to show.
        interval: Show every iteration whose number it divides; 0 for none.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a number is negative.
    """

    # After MixTeacherHook, which tells the model how far it is.
    priority = 'LOW'

    def __init__(
        self, num_batches: int = 1, max_images: int = 8, interval: int = 0
    ) -> None:
        numbers = dict(
            num_batches=num_batches, max_images=max_images, interval=interval
        )
        for name, number in numbers.items():
            check_integer(name, number, least=0)
        self.num_batches = num_batches
        self.max_images = max_images
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        """Note where the run begins.

        Raises:
            TypeError: If the model cannot be watched.
        """
        model = unwrapped_model(runner)
        if not hasattr(model, 'watch'):
            raise TypeError(
                'TeacherPreviewHook needs MixTeacher or MixedDomainTeacher, got '
                f'{type(model).__name__}; MixPreviewHook shows the batches of others'
            )
        self._first = runner.iter
        self._guard = DrawingGuard(type(self).__name__)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Watch the model in the iterations to show."""
        if not is_main_process() or not self.max_images or not self._shows(runner):
            return
        # A compiled step calls it as it is: nothing in it is worth tracing. That is for
        # functions; in place of a partial one the compiler would call None.
        show = torch.compiler.disable(self._show)
        unwrapped_model(runner).watch(partial(show, runner))

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Stop watching."""
        unwrapped_model(runner).watch(None)

    def _shows(self, runner: Runner) -> bool:
        """Whether to show the present iteration."""
        iteration = runner.iter
        starts = [self._first]
        progress = getattr(unwrapped_model(runner), 'progress', None)
        if progress is not None:
            starts.append(progress.burn_in)
        if any(0 <= iteration - start < self.num_batches for start in starts):
            return True
        return bool(self.interval) and iteration % self.interval == 0

    def _show(self, runner: Runner, name: str, batch: Batch) -> None:
        """Draw a batch if it can be drawn."""
        self._guard(self._save, runner, name, batch)

    def _save(self, runner: Runner, name: str, batch: Batch) -> None:
        """Draw a batch."""
        inputs, samples = batch
        dataset = runner.train_dataloader.dataset
        picture = draw_preprocessed_batch(
            unwrapped_model(runner).data_preprocessor,
            dict(inputs=inputs, data_samples=samples),
            classes=class_names(getattr(dataset, 'metainfo', None)),
            max_images=self.max_images,
        )
        runner.visualizer.add_image(f'preview_{name}', picture, step=runner.iter)
