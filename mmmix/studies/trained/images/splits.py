"""The images and annotations of a study."""

from __future__ import annotations

import argparse
from typing import Any

from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope

from mmmix.apis.dataset_paths import check_dataset_paths

SPLITS = ('test', 'val')


def build_split(
    cfg: Config, split: str = 'test', limit: int | None = None
) -> BaseDataset:
    """The data set on which a config is tested or validated.

    Args:
        cfg: The config.
        split: ``'test'`` or ``'val'``.
        limit: Take this many images from the start; None takes all.

    Returns:
        mmdet's data set; ``get_data_info(index)`` has ``img_path``, ``img_id`` and
        the annotations as ``instances``.

    Raises:
        FileNotFoundError: If its files are missing, with how to get them.
        ValueError: If ``split`` or ``limit`` is wrong, or it has no annotations.
    """
    if split not in SPLITS or (limit is not None and limit < 1):
        raise ValueError(
            f'expected split among {SPLITS} and limit >= 1, got {split!r}, {limit}'
        )
    check_dataset_paths(cfg, (split,))
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
    if not hasattr(dataset, 'get_subset_'):
        raise ValueError(
            f'{split}_dataloader.dataset must be one data set without a wrapper, got '
            f'{type(dataset).__name__}'
        )
    dataset.full_init()
    if limit is not None:
        dataset.get_subset_(list(range(min(limit, len(dataset)))))
    infos = map(dataset.get_data_info, range(len(dataset)))
    if not any(info.get('instances') or 'gt_label' in info for info in infos):
        raise ValueError(
            f'{split}_dataloader.dataset of {cfg.filename} has {len(dataset)} images '
            'and no annotation; studies need both'
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
    )
