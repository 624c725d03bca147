"""The annotation files of metrics against the data that they judge."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping
from typing import Any

from .class_names import NO_CHECK


def check_metrics(loop: Any, key: str) -> None:
    """Make sure that a metric's own annotation file is that of the data.

    Args:
        loop: Of a validation or a test; others have no metrics.
        key: Of its evaluator in the config.

    Raises:
        ValueError: If the file has the classes in another order, which would judge
            with swapped classes, or has other images.
    """
    metrics = getattr(getattr(loop, 'evaluator', None), 'metrics', ())
    for metric in metrics:
        known = getattr(metric, '_coco_api', None)
        if known is not None:
            _check_order(metric, getattr(known, 'cats', None), key)
            _check_images(metric, getattr(known, 'imgs', None), loop, key)


def _check_order(metric: Any, categories: Any, key: str) -> None:
    meta = getattr(metric, 'dataset_meta', None)
    classes = meta.get('classes') if isinstance(meta, Mapping) else None
    if not categories or not classes:
        return
    names = [category['name'] for category in categories.values()]
    order = [name for name in names if name in classes]
    if order != list(classes):
        raise ValueError(
            f'{key}: the file of {type(metric).__name__} has the categories '
            f'{order}, and the classes are {list(classes)}: detections would be '
            'judged with other classes. Bring both into one order'
        )


def _check_images(metric: Any, images: Any, loop: Any, key: str) -> None:
    """Compare images by number and name; where numbers agree nothing else would."""
    dataset = loop.dataloader.dataset
    if not images or not hasattr(dataset, 'get_data_info'):
        return
    place = f'{key.removesuffix("_evaluator")}_dataloader.dataset'
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        number, path = info.get('img_id'), info.get('img_path')
        if number is None or not isinstance(path, str):
            return
        stated = images.get(number, {'file_name': 'none'}).get('file_name')
        if stated is not None and osp.basename(stated) != osp.basename(path):
            raise ValueError(
                f'{key}: the file of {type(metric).__name__} is of other images than '
                f'{place}: for image {number!r}, {path}, it has {stated}. Detections '
                f'would be judged by the objects of others. Set ann_file of {key} to '
                f'that of {place}; {NO_CHECK}'
            )
