"""The number of classes of heads and of data, of several data sets too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from mmdet.engine.hooks import NumClassCheckHook
from mmdet.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ClassCountHook(NumClassCheckHook):
    """mmdet's check that heads have as many classes as the data.

    mmdet's stops at data sets of several parts whose metainfo differs, by year or
    palette say, with an error that names neither. Here each part is checked.
    """

    def _check_head(self, runner: Runner, mode: str) -> None:
        """Check the heads against each part of a loader's data set.

        Args:
            runner: The runner.
            mode: ``'train'`` or ``'val'``.

        Raises:
            AssertionError: If the numbers differ.
        """
        loader = f'{mode}_dataloader'
        for part in _parts(getattr(runner, loader).dataset):
            alone = {loader: SimpleNamespace(dataset=part)}
            super()._check_head(
                SimpleNamespace(model=runner.model, logger=runner.logger, **alone), mode
            )


def _parts(dataset: Any) -> Iterator[Any]:
    """The data set itself, or its parts if their metainfo differs."""
    if isinstance(dataset.metainfo, Mapping):
        yield dataset
        return
    inner = getattr(dataset, 'datasets', None) or [dataset.dataset]
    for part in inner:
        yield from _parts(part)
