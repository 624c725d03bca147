"""The check of all data sets of a run, made while they are loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import Runner

from mmmix.datasets.contents import (
    Contents,
    ImageNotes,
    watched_images,
    watched_loading,
)
from mmmix.datasets.contents.reader import reads_labels
from mmmix.datasets.contents.watch import MAX_BOXES

from .class_names import Source, check_class_names
from .image_labels import bad_line, check_folders, check_image_labels, class_count
from .images import SAMPLED, check_images
from .left_out import check_endings
from .metrics import check_metrics

SETTINGS = {'max_boxes': MAX_BOXES, 'sampled_images': SAMPLED}
"""What ``data_checks = dict(...)`` of a config may set, and the defaults."""


def check_data(runner: Runner, splits: tuple[str, ...]) -> None:
    """Check the data sets of a run, which this builds and loads.

    Annotations are looked at while they are loaded, so that nothing is read twice;
    of the images, a few heads are read. What was wrong but does not harm is logged.

    Args:
        runner: A Runner whose data loaders are not built yet. ``data_checks`` of its
            config may set ``max_boxes`` of an image and ``sampled_images`` of a data
            set, 0 for none.
        splits: Of ``'train'``, ``'val'`` and ``'test'`` those that are used.

    Raises:
        ValueError: If annotations have faults, classes do not fit the data or each
            other, or images do not fit their annotations; with files and fixes.
        KeyError: If ``data_checks`` has an unknown setting.
    """
    settings = _settings(runner.cfg.get('data_checks') or {})
    boxes = settings['max_boxes']
    with watched_loading(boxes) as seen, watched_images() as images:
        loops = [_loop(runner, split) for split in splits]
    sources = [
        source
        for split, loop in zip(splits, loops)
        if loop is not None
        for source in sources_of(
            loop.dataloader.dataset, f'{split}_dataloader.dataset', seen, images
        )
    ]
    training = 'train' in splits
    messages = [
        f'{source.key} ({source.contents.source}): {source.contents.warnings.count} '
        f'faults that training survives:\n{source.contents.warnings}'
        for source in sources
        if source.contents and source.contents.warnings.count
    ]
    check_folders(sources)
    messages += check_class_names(sources, training)
    if training:
        _check_objects([s for s in sources if s.key.startswith('train')])
    for split, loop in zip(splits, loops):
        check_metrics(loop, f'{split}_evaluator')
    for source in sources:
        check_image_labels(source, class_count(runner.cfg))
        messages += check_endings(source)
        messages += check_images(source, settings['sampled_images'])
    for message in messages:
        print_log(message, logger='current', level=logging.WARNING)


def _loop(runner: Runner, split: str) -> Any:
    """A loop with its data set, which this loads.

    Raises:
        ValueError: If it cannot be read; of a list of images and labels, with its line.
    """
    try:
        return getattr(runner, f'{split}_loop')
    except ValueError as error:
        key = f'{split}_dataloader'
        line = bad_line(runner.cfg.get(key))
        if line is None:
            raise
        raise ValueError(f'{key}.dataset: {line}') from error


def _check_objects(sources: list[Source]) -> None:
    """Make sure that there is an object to train on.

    Raises:
        ValueError: If none of the labelled training sets has one left.
    """
    labelled = [source for source in sources if source.labelled]
    if labelled and not any(_may_have_object(source) for source in labelled):
        where = ', '.join(source.key for source in labelled)
        raise ValueError(
            f'{where}: no image has an object left to train on. Boxes go that have no '
            'area (also where the file says "area": 0), no class of this config, or '
            'lie in what is to be ignored; mend the annotations or the classes'
        )


def _may_have_object(source: Source) -> bool:
    """Whether a set has a box that is not to be ignored; so if its like is unknown."""
    dataset = source.dataset
    if not source.contents or not hasattr(dataset, 'get_data_info'):
        return True
    return any(
        not instance.get('ignore_flag')
        for index in range(len(dataset))
        for instance in dataset.get_data_info(index).get('instances', ())
    )


def _settings(given: Mapping) -> dict[str, int]:
    """The settings with their defaults.

    Raises:
        KeyError: If one is unknown.
    """
    unknown = set(given) - set(SETTINGS)
    if unknown:
        raise KeyError(
            f'data_checks expects {sorted(SETTINGS)}, got {sorted(unknown)} besides'
        )
    return {**SETTINGS, **given}


def sources_of(
    dataset: Any,
    key: str,
    seen: Mapping[int, Contents],
    images: Mapping[int, ImageNotes] | None = None,
) -> Iterator[Source]:
    """A data set, or what is inside it.

    Args:
        dataset: The data set.
        key: Its place in the config.
        seen: Notes on annotations, by the ``id`` of their data set.
        images: Notes on whole images, likewise.
    """
    if isinstance(getattr(dataset, 'datasets', None), (list, tuple)):
        for index, part in enumerate(dataset.datasets):
            yield from sources_of(part, f'{key}.datasets[{index}]', seen, images)
    elif hasattr(dataset, 'dataset'):
        yield from sources_of(dataset.dataset, f'{key}.dataset', seen, images)
    else:
        metainfo = getattr(dataset, 'metainfo', None)
        classes = metainfo.get('classes') if isinstance(metainfo, Mapping) else None
        yield Source(
            key=key,
            dataset=dataset,
            classes=None if classes is None else tuple(classes),
            labelled=reads_labels(dataset),
            contents=seen.get(id(dataset)),
            images=(images or {}).get(id(dataset)),
        )
