"""The images and annotations of a study."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope

from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.studies.digests import digest
from mmmix.studies.trained.images.classes import check_classes
from mmmix.studies.trained.images.truth import objects_of

SPLITS = ('test', 'val')


class Model(Protocol):
    """What of a loaded model tells its images, and whether their labels are its own."""

    cfg: Config
    classes: Sequence[str]


def build_split(
    model: Model, split: str = 'test', limit: int | None = None
) -> BaseDataset:
    """The data set on which a model's config tests or validates.

    Args:
        model: A model that sees them, whose classes are compared.
        split: ``'test'`` or ``'val'``.
        limit: Take this many images from the start; None takes all.

    Returns:
        mmdet's data set; ``get_data_info(index)`` has ``img_path``, ``img_id`` and
        the annotations as ``instances``.

    Raises:
        FileNotFoundError: If its files are missing, with how to get them.
        ValueError: If ``split`` or ``limit`` is wrong, the config has no such data
            set or one of several, it has no annotations, or other classes.
    """
    if split not in SPLITS or (limit is not None and limit < 1):
        raise ValueError(
            f'expected split among {SPLITS} and limit >= 1, got {split!r}, {limit}'
        )
    cfg = model.cfg
    check_dataset_paths(cfg, (split,))
    dataset = _built(cfg, f'{split}_dataloader')
    dataset.full_init()
    check_classes(dataset, model.classes, f'{split}_dataloader.dataset')
    if limit is not None:
        dataset.get_subset_(list(range(min(limit, len(dataset)))))
    infos = map(dataset.get_data_info, range(len(dataset)))
    if not any(info.get('instances') or 'gt_label' in info for info in infos):
        raise ValueError(
            f'{split}_dataloader.dataset of {cfg.filename} has {len(dataset)} images '
            'and no annotation; studies need both'
        )
    return dataset


def _built(cfg: Config, key: str) -> BaseDataset:
    """The data set of a data loader, not loaded yet."""
    loader = cfg.get(key)
    if loader is None:
        raise ValueError(f'{cfg.filename} has no {key}; choose another --split')
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    dataset = DATASETS.build(loader.dataset)
    if not isinstance(dataset, BaseDataset):  # that of several has its methods, too
        raise ValueError(
            f'{key}.dataset must be one data set without a wrapper, got '
            f'{type(dataset).__name__}'
        )
    return dataset


def split_settings(args: argparse.Namespace, dataset: BaseDataset) -> dict[str, Any]:
    """What of the data the results of a study depend on, for its ``ResultStore``.

    Args:
        args: With ``split`` and ``cfg_options``.
        dataset: From :func:`build_split`.
    """
    return dict(
        split=args.split,
        images=len(dataset),
        data=dataset.ann_file,
        cfg_options=args.cfg_options,
        annotations=digest(
            repr(_said(dataset.get_data_info(index))).encode()
            for index in range(len(dataset))
        ),
    )


def _said(info: Mapping[str, Any]) -> tuple[Any, ...]:
    """An image's name and what is on it."""
    boxes = [(i.bboxes.tolist(), i.labels.tolist()) for i in objects_of(info)]
    label = np.asarray(info.get('gt_label', ())).tolist()
    return info.get('img_id'), Path(info.get('img_path') or '').name, label, boxes
