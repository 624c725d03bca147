"""A config for a folder of data around any detection config of mmdet.

Unlike the rest of this folder it needs the stack: what a method changes in a detector
is found by applying it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config
from mmengine.utils import get_installed_path

from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.configs.written import written

from .config_text import Choice, common_fields
from .detectors import Recipe
from .templates import STOCK

PREFIX = 'mmdet::'


class StockDetector:
    """A detection config of mmdet, and what a method makes of it.

    Args:
        name: ``mmdet::FOLDER/NAME.py``.
        method: To mix with; None for none.

    Attributes:
        recipe: Its schedule and weights.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it cannot be trained on boxes alone, or the method does not fit.
        KeyError: If there is no such method.
    """

    def __init__(self, name: str, method: str | None) -> None:
        self._name, self._cfg = name, _read(name)
        self._mixed = read_config(name, mix=method)
        scaling = self._cfg.get('auto_scale_lr') or {}
        self.recipe = Recipe(
            title=Path(name.rpartition('::')[2]).stem,
            weights=_weights(name),
            lr=self._cfg.optim_wrapper.optimizer.lr,
            lr_batch=scaling.get('base_batch_size', 16),
            batch=self._cfg.train_dataloader.batch_size,
            start='its backbone: mmdet names no weights for the whole',
        )

    def text(self, choice: Choice) -> str:
        """The config for a folder."""
        before, after = self._cfg.model.to_dict(), self._mixed.model.to_dict()
        classes = _with_classes(after, len(choice.classes)) or {}
        return STOCK.format(
            **common_fields(choice),
            base=self._name,
            model=written(_merged(_difference(before, after), classes)),
            hooks=written(list(self._mixed.get('custom_hooks') or [])),
        )


def _read(name: str) -> Config:
    """The config, if it can be trained on boxes alone.

    Raises:
        FileNotFoundError, ValueError: If it cannot be used.
    """
    cfg = read_config(name)
    for key in ('train_pipeline', 'test_pipeline'):
        if key not in cfg:
            raise ValueError(
                f'--detector {name}: it has no {key} that could be kept; write the '
                'data into a config by hand, or take another one'
            )
    data = cfg.train_dataloader.dataset
    while data.type == 'RepeatDataset':  # the number of passes is planned here
        data = data.dataset
    if data.type != 'CocoDataset':
        raise ValueError(
            f'--detector {name} trains on a {data.type}; take a config whose '
            'train_dataloader has a CocoDataset, such as '
            'mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py'
        )
    if any(
        step.get('with_mask') or step.get('with_seg') for step in cfg.train_pipeline
    ):
        raise ValueError(
            f'--detector {name} needs masks, and only boxes are read here; take a '
            'config of a detector without masks'
        )
    return cfg


def _weights(name: str) -> str:
    """Where mmdet has the weights of a config; empty if nowhere."""
    relative = f'configs/{name.removeprefix(PREFIX)}'
    folder = Path(get_installed_path('mmdet'), '.mim', relative).parent
    for file in folder.glob('metafile.yml'):
        content = yaml.safe_load(file.read_text(encoding='utf-8'))
        models = content if isinstance(content, list) else content.get('Models', [])
        for model in models:
            if model.get('Config') == relative:
                return model.get('Weights') or ''
    return ''


def _difference(before: Mapping, after: Mapping) -> dict[str, Any]:
    """What has to be merged into one nest of dicts to have the other."""
    changed: dict[str, Any] = {}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            inner = _difference(old, value)
            if inner:
                changed[key] = inner
        elif key not in before or value != old:
            changed[key] = value
    return changed


def _with_classes(node: Any, count: int) -> Any:
    """What of a model has COCO's number of classes, with another; None if nothing."""
    if isinstance(node, Mapping):
        found = {
            key: count if key == 'num_classes' else _with_classes(value, count)
            for key, value in node.items()
            if key != 'num_classes' or value == 80
        }
        return {key: value for key, value in found.items() if value is not None} or None
    if isinstance(node, list):
        parts = [_with_classes(item, count) for item in node]
        if any(part is not None for part in parts):  # lists are replaced whole
            return [
                item if part is None else _merged(item, part)
                for item, part in zip(node, parts)
            ]
    return None


def _merged(first: Mapping, second: Mapping) -> dict[str, Any]:
    """One nest of dicts over another."""
    merged = dict(first)
    for key, value in second.items():
        old = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        merged[key] = _merged(old, value) if both else value
    return merged
