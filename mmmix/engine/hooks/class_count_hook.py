"""The number of classes of models and of data, of several data sets too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmcv.cnn import VGG
from mmdet.engine.hooks import NumClassCheckHook
from mmdet.models.roi_heads.mask_heads import FusedSemanticHead
from mmdet.registry import HOOKS
from mmengine.runner import Runner
from torch import nn


@HOOKS.register_module()
class ClassCountHook(NumClassCheckHook):
    """mmdet's check that heads have as many classes as the data.

    mmdet's stops at data sets of several parts whose metainfo differs, by year or
    palette say, with an error that names neither. Here each part is checked, and what
    has no classes of its own is not, such as a classifier's backbone.
    """

    def _check_head(self, runner: Runner, mode: str) -> None:
        """Check the heads against each part of a loader's data set.

        Args:
            runner: The runner.
            mode: ``'train'`` or ``'val'``.

        Raises:
            TypeError: If the classes of a data set are a text.
            ValueError: If the numbers differ.
        """
        for part in _parts(getattr(runner, f'{mode}_dataloader').dataset):
            classes = part.metainfo.get('classes')
            place = f'{mode}_dataloader.dataset ({type(part).__name__})'
            if classes is None:
                runner.logger.warning(
                    f'{place} has no metainfo=dict(classes=...): whether num_classes '
                    'of the model fits is not known'
                )
                continue
            if isinstance(classes, str):
                raise TypeError(
                    f'{place}: metainfo.classes must be a tuple of names, got '
                    f'{classes!r}; one class is written ({classes!r},)'
                )
            _check_counts(runner.model, len(classes), place)


def _check_counts(model: nn.Module, expected: int, place: str) -> None:
    """Make sure that all parts of a model have as many classes as the data.

    Raises:
        ValueError: Naming those that do not.
    """
    counts = {
        f'model.{name.removeprefix("module.")}.num_classes': module.num_classes
        for name, module in model.named_modules()
        if hasattr(module, 'num_classes')
        and not name.endswith('rpn_head')
        and not isinstance(module, (VGG, FusedSemanticHead))
    }
    # None, and -1 of a backbone, stand for no classes.
    wrong = {
        key: count
        for key, count in counts.items()
        if isinstance(count, int) and count >= 0 and count != expected
    }
    if wrong:
        found = ', '.join(f'{key}={count}' for key, count in wrong.items())
        raise ValueError(
            f'{place} has {expected} classes, and the model does not match: {found}; '
            f'set it to {expected}, or correct metainfo=dict(classes=...) of the data'
        )


def _parts(dataset: Any) -> Iterator[Any]:
    """The data set itself, or its parts if their metainfo differs."""
    if isinstance(dataset.metainfo, Mapping):
        yield dataset
        return
    inner = getattr(dataset, 'datasets', None) or [dataset.dataset]
    for part in inner:
        yield from _parts(part)
