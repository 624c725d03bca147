"""A page that shows how a run goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmdet.evaluation import VOCMetric
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmmix.engine.find_mixers import label_mixers
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.engine.whole_files import write_whole
from mmmix.evaluation.validation_summary import RECALLS, ValidationSummary
from mmmix.mixing.checks import check_integer
from mmmix.registry import is_classifier
from mmmix.visualization import DrawingGuard, class_names
from mmmix.visualization.report import RunRecord, render_page

from .logged_curves import LoggedCurves
from .report_pictures import ReportPictures
from .watched_mixing import WatchedMixing

MOST_BETWEEN = 10
"""Iterations between two points of the curves."""


@HOOKS.register_module()
class RunReportHook(Hook):
    """Write ``report/index.html`` into the working directory, again and again.

    One page without a network: curves of every loss term and metric and of the
    learning rate, how much was mixed with which λ, the first batches, precision and
    AP of every class, and the best and the worst validation images beside their
    truth. Of a teacher also how many labels it gives, how good those above its
    threshold are on the validation images, and teacher beside student. Of a classifier
    curves, and what mixes.

    The page is replaced in one step, so that a killed run leaves the last one. A
    resumed run goes on with its curves, which are in ``report/record.json``. Only
    the first process writes; of a validation in several processes it shows its own
    images. What goes wrong here is said once, and training goes on.

    Args:
        interval: Iterations between two points of the training's curves; None for a
            hundredth of the training, at most ``MOST_BETWEEN``.
        max_share: Share of the time that writing may take: after each page the next
            one waits for ``cost / max_share``. The end of the run does not wait.
        max_images: Validate this many images for classes and pictures at most.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If an argument is out of its range.
    """

    # After those that log, draw and lead teachers; before the one of checkpoints
    # (VERY_LOW, 90), which may make a validation before the training goes on.
    priority = 80

    def __init__(
        self,
        interval: int | None = None,
        max_share: float = 0.02,
        max_images: int = 1000,
    ) -> None:
        given = {} if interval is None else dict(interval=interval)
        for name, number in dict(given, max_images=max_images).items():
            check_integer(name, number, least=1)
        if not 0 < max_share <= 1:
            raise ValueError(f'max_share must lie in (0, 1], got {max_share!r}')
        self.interval = interval
        self.max_share = max_share
        self.max_images = max_images
        self._record: RunRecord | None = None
        self._guard = DrawingGuard(type(self).__name__)
        self._next = 0.0
        self._last = 0

    def before_train(self, runner: Runner) -> None:
        """Begin a record, or go on with that of the run that is resumed."""
        if is_main_process():
            self._guard(self._begin, runner)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Take a point of the curves in every ``interval`` iterations."""
        self._quietly(self._take, runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Begin to collect detections."""
        self._summaries: dict[str, ValidationSummary] = {}

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[DetDataSample] | None = None,
    ) -> None:
        """Take detections with their truth."""
        self._quietly(self._collect, runner, outputs)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Take the metrics."""
        self._quietly(self._validated, runner, metrics or {})

    def after_train(self, runner: Runner) -> None:
        """Write the last page."""
        self._quietly(self._finish, runner)

    def _quietly(self, step: Callable[..., None], *args: Any) -> None:
        """Go on whatever happens; other processes than the first have no record."""
        if self._record is not None:
            self._guard(step, *args)

    def _finish(self, runner: Runner) -> None:
        """Write the last page, and say where it is."""
        self._write(runner, 'finished', runner.iter)
        runner.logger.info(f'Report of the run: {self._folder / "index.html"}')

    def _begin(self, runner: Runner) -> None:
        """Set everything up."""
        self._folder = Path(runner.work_dir).resolve() / 'report'
        self._folder.mkdir(parents=True, exist_ok=True)
        if self.interval is None:
            self.interval = min(max(1, runner.max_iters // 100), MOST_BETWEEN)
        self._summaries = {}
        record = RunRecord()
        path = self._folder / 'record.json'
        if runner.iter and path.is_file():
            record = RunRecord.loads(path.read_bytes())
            record.cut(runner.iter)
        self._pictures = ReportPictures(self._folder / 'pictures', record)
        self._mixing = WatchedMixing(runner)
        self._logged = LoggedCurves(runner.message_hub, self.interval)
        self._classes = _classes(runner)
        self._began, self._first = time.time(), runner.iter
        self._last = runner.iter
        self._record = record

    def _take(self, runner: Runner) -> None:
        """Add points to the curves, and write if it is time."""
        done = runner.iter + 1
        self._mixing.take()
        if done % self.interval == 0 or done == runner.max_iters:
            self._point(runner, done)
            self._write_if_due(runner, done)

    def _point(self, runner: Runner, done: int) -> None:
        """Add a point to the curves, unless there is one of this iteration."""
        if done == self._last:
            return
        self._last = done
        self._record.add_mixing(done, *self._mixing.taken())
        for name, value in self._logged.points():
            self._record.add(name, done, value)

    def _collect(self, runner: Runner, outputs: Sequence[DetDataSample]) -> None:
        """Add detections to the summary of the model that made them."""
        settings = getattr(unwrapped_model(runner), 'semi_test_cfg', None) or {}
        name = settings.get('predict_on', '')
        if name not in self._summaries:
            self._summaries[name] = ValidationSummary(
                self._classes, self.max_images, _eval_mode(runner)
            )
        for sample in outputs:
            if 'gt_instances' in sample and 'pred_instances' in sample:
                self._summaries[name].add(sample.to_dict())

    def _validated(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Add metrics and summaries, and write if it is time."""
        done = runner.iter
        self._point(runner, done)  # else a page said that nothing was mixed so far
        for name, value in metrics.items():
            if isinstance(value, (int, float)):
                self._record.add(name, done, value)
        settings = getattr(unwrapped_model(runner), 'semi_train_cfg', None) or {}
        for name, summary in self._summaries.items():
            found = summary.summarise() | dict(iteration=done)
            if found['images']:
                self._record.validations[name] = found
            if 'cls_pseudo_thr' in settings:
                labels = summary.labels_above(settings['cls_pseudo_thr'])
                for what, value in labels.items():
                    self._record.add(
                        f'{name}/labels above threshold: {what}', done, value
                    )
        self._summaries = {}
        self._write_if_due(runner, done)

    def _write_if_due(self, runner: Runner, done: int) -> None:
        """Write unless that would take too much of the time, or the end is near."""
        if time.monotonic() >= self._next and done < runner.max_iters:
            self._write(runner, 'running', done)

    def _write(self, runner: Runner, state: str, done: int) -> None:
        """Replace the record, then the page."""
        begin = time.monotonic()
        try:
            self._pictures.update(runner, self._classes, self._guard)
            write_whole(self._folder / 'record.json', self._record.dumps())
            page = render_page(
                self._record,
                self._facts(runner, state, done),
                self._pictures.embedded(),
                RECALLS.tolist(),
                detects=not is_classifier(runner.cfg),
            )
            write_whole(self._folder / 'index.html', page)
        finally:
            end = time.monotonic()
            self._next = end + (end - begin) / self.max_share

    def _facts(self, runner: Runner, state: str, done: int) -> dict[str, str]:
        """What the page says at its top."""
        spent = time.time() - self._began
        model = unwrapped_model(runner)
        mixed_by = ', '.join(label_mixers(model))
        facts = {
            # Without the time of its start.
            'title': runner.experiment_name.removesuffix(f'_{runner.timestamp}'),
            'state': f'{state}, written {time.strftime("%Y-%m-%d %H:%M:%S")}',
            'iteration': f'{done} of {runner.max_iters}',
            'model': type(model).__name__,
            **({'mixed by': mixed_by} if mixed_by else {}),
            'log': str(Path(runner.log_dir).resolve()),
        }
        if done > self._first:
            pace = spent / (done - self._first)
            facts['time'] = (
                f'{pace:.3f} s an iteration, {_clock(spent)} in this process'
            )
            if state == 'running':
                facts['time left'] = _clock(pace * (runner.max_iters - done))
        return facts


def _classes(runner: Runner) -> tuple[str, ...]:
    """Names of the labels of the validation, else of the training."""
    for loop in (runner.val_loop, runner.train_loop):
        loader = getattr(loop, 'dataloader', None)
        names = class_names(getattr(getattr(loader, 'dataset', None), 'metainfo', None))
        if names:
            return names
    return ()


def _eval_mode(runner: Runner) -> str:
    """How the run's own ``VOCMetric`` averages precision; ``'area'`` without one."""
    for metric in runner.val_evaluator.metrics:
        if isinstance(metric, VOCMetric):
            return metric.eval_mode
    return 'area'


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02d}:{seconds:02d}'
