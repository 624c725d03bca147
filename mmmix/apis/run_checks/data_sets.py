"""All data sets of a config, each looked at as far as it can be loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmdet.registry import DATASETS
from mmengine.config import Config

from mmmix.apis.data_checks.check import sources_of
from mmmix.apis.data_checks.class_names import Source, check_class_names
from mmmix.apis.data_checks.image_labels import (
    bad_line,
    check_folders,
    check_image_labels,
    class_count,
)
from mmmix.apis.data_checks.left_out import left_out_images
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.plain_errors import text_of
from mmmix.datasets.contents import own_labels, watched_images, watched_loading
from mmmix.datasets.contents.image_watch import LABEL
from mmmix.layouts.first_few import first_few

from .finding import FAULT, OK, RAISED, WARNING, Finding
from .words import OF_DETECTOR, Words, words_of

SPLITS = ('train', 'val', 'test')
FEW_IMAGES, FEW_OBJECTS, FEW_VAL = 100, 20, 20
NAMED = 30


@dataclass
class Loaded:
    """The data sets of a config that could be loaded.

    Attributes:
        sources: Innermost data sets by their split.
        findings: What was found on the way.
        words: What to call that of which they are.
    """

    sources: dict[str, list[Source]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    words: Words = OF_DETECTOR

    @property
    def all(self) -> list[Source]:
        """The sources of all splits."""
        return [source for some in self.sources.values() for source in some]


def load_data_sets(cfg: Config) -> Loaded:
    """Load the data sets of all splits, and note what is wrong with annotations."""
    loaded = Loaded(words=words_of(cfg))
    validated = (cfg.get('val_dataloader') or {}).get('dataset')
    for split in SPLITS:
        config = (cfg.get(f'{split}_dataloader') or {}).get('dataset')
        if cfg.get(f'{split}_cfg') is None or config is None:
            continue
        if split == 'test' and config == validated and cfg.get('val_cfg') is not None:
            continue
        try:
            check_dataset_paths(cfg, (split,))
        except FileNotFoundError as error:
            loaded.findings.append(Finding(FAULT, f'{split} data', str(error)))
            continue
        loaded.sources[split] = _load(split, config, loaded)
        for source in loaded.sources[split]:
            try:
                check_image_labels(source, class_count(cfg))
            except ValueError as error:
                loaded.findings.append(Finding(FAULT, f'{split} labels', str(error)))
    return loaded


def _load(split: str, config: Any, loaded: Loaded) -> list[Source]:
    """One split; a fault of its annotations is noted, and it is loaded as it is."""
    key = f'{split}_dataloader.dataset'
    try:
        with watched_loading() as seen, watched_images() as images:
            dataset = _built(config)
    except RAISED as error:
        text = bad_line(config) or text_of(error)
        check = f'{split} {loaded.words.data}'
        loaded.findings.append(Finding(FAULT, check, text))
        seen, images = {}, {}
        try:
            dataset = _built(config)
        except RAISED:
            return []
    return list(sources_of(dataset, key, seen, images))


def _built(config: Any) -> Any:
    """A data set, also loaded where it is lazy."""
    dataset = DATASETS.build(config)
    if hasattr(dataset, 'full_init'):
        dataset.full_init()
    return dataset


def check_contents(loaded: Loaded) -> Iterator[Finding]:
    """Counts of images, objects and classes; what is rare, missing or dropped."""
    for split, sources in loaded.sources.items():
        for source in sources:
            yield from _count(split, source, loaded.words)
            for text, fix in left_out_images(source):
                yield Finding(WARNING, f'{split} data', text, fix)
    yield from _check_names(loaded)


def _check_names(loaded: Loaded) -> Iterator[Finding]:
    """Class names against the data and each other."""
    train = loaded.sources.get('train', [])
    try:
        check_folders(loaded.all)
        remarks = check_class_names(loaded.all, training=bool(train))
    except ValueError as error:
        yield Finding(FAULT, 'classes', str(error))
        return
    for text in remarks:
        yield Finding(WARNING, 'classes', text)
    for split in ('val', 'test'):
        known = _names(train)
        unknown = sorted(_names(loaded.sources.get(split, ())) - known)
        if known and unknown:
            some = first_few([*map(repr, unknown)])
            yield Finding(
                WARNING,
                'classes',
                f'{split} has {loaded.words.things} of {some}, and '
                f'{loaded.words.never_learned}',
                loaded.words.split_anew,
            )
        dropped = sorted(_dropped(loaded.sources.get(split, ())) - _dropped(train))
        if train and dropped:
            some = first_few([*map(repr, dropped)])
            yield Finding(
                WARNING,
                'classes',
                f'{split} has objects of {some}, which are no classes of the config '
                'and in no training image: no figure counts them',
                loaded.words.split_anew,
            )


def _dropped(sources: Sequence[Source]) -> set[str]:
    """Names that occur and are no classes."""
    return {
        name
        for source in sources
        if source.contents and source.classes
        for name in source.contents.names
        if name and name not in source.classes
    }


def _names(sources: Sequence[Source]) -> set[str]:
    """Classes that occur in the images that are kept."""
    return {name for source in sources for name in class_counts(source)}


def class_counts(source: Source) -> Counter:
    """Objects of each class in the images that are kept, ignored ones left out.

    Of a classifier's data set, images of each class.
    """
    classes = source.classes or ()
    return Counter(
        classes[label]
        for info in infos(source)
        for label in _labels(info)
        if 0 <= label < len(classes)
    )


def _labels(info: Mapping[str, Any]) -> list[int]:
    """The labels of an image's objects, or its own, of which there may be several."""
    if LABEL in info:
        return own_labels(info)
    objects = info.get('instances') or ()
    return [item['bbox_label'] for item in objects if not item.get('ignore_flag')]


def infos(source: Source) -> Iterator[dict[str, Any]]:
    """What a data set says of each of its images, if it can say it."""
    if hasattr(source.dataset, 'get_data_info'):
        for index in range(len(source.dataset)):
            yield source.dataset.get_data_info(index)


def _count(split: str, source: Source, words: Words) -> Iterator[Finding]:
    """Images and objects of one data set."""
    images = list(infos(source))
    where = f'{split} data'
    place = _place(source)
    if not source.labelled:
        yield Finding(OK, where, f'{len(images)} images without labels ({place})')
        yield from _few(split, len(images), 'add more')
        return
    counts = class_counts(source)
    some = first_few([f'{name} {n}' for name, n in counts.most_common()], NAMED)
    objects = not any(LABEL in info for info in images)
    empty = sum(not (info.get('instances') or _labels(info)) for info in images)
    text = f'{len(images)} images'
    text += f', {sum(counts.values())} objects' if objects else ''
    text += f': {some or "none"}'
    what = 'an object' if objects else 'a label'
    text += f'; {empty} images without {what}' if empty else ''
    yield Finding(OK, where, f'{text} ({place})')
    if source.contents and source.contents.warnings.count:
        found = source.contents.warnings
        text = f'{found.count} faults that are survived:\n{found}'
        yield Finding(WARNING, f'{split} annotations', text)
    if split == 'train' and objects and not counts:
        yield Finding(
            FAULT,
            where,
            f'{place}: no object is left to train on',
            'boxes go that have no area, no class of this config, or are marked '
            'difficult or crowd; mend the annotations, or metainfo.classes',
        )
    yield from _few(split, len(images), words.more)
    if split == 'train':
        yield from _rare(source, counts, words)


def _place(source: Source) -> str:
    """The file or folder that a data set is read from, as far as it is known."""
    if source.contents:
        return source.contents.source
    dataset = source.dataset
    prefixes = getattr(dataset, 'data_prefix', None)
    places = [
        getattr(dataset, 'ann_file', None),
        *(prefixes.values() if isinstance(prefixes, Mapping) else ()),
        getattr(dataset, 'data_root', None),
    ]
    return next((str(place) for place in places if place), source.key)


def _few(split: str, images: int, fix: str) -> Iterator[Finding]:
    """What there is too little of."""
    least = FEW_IMAGES if split == 'train' else FEW_VAL
    if images < least:
        yield Finding(
            WARNING,
            f'{split} data',
            f'{images} images are few; from less than {least} '
            + ('little is learned' if split == 'train' else 'figures say little'),
            fix,
        )


def _rare(source: Source, counts: Counter, words: Words) -> Iterator[Finding]:
    """Classes with few to train on; those of a classifier's images may have none."""
    if words is not OF_DETECTOR:
        counts = Counter({name: counts[name] for name in source.classes or counts})
    rare = [
        f'{name} ({count})'
        for name, count in reversed(counts.most_common())
        if count < FEW_OBJECTS
    ]
    if rare:
        yield Finding(
            WARNING,
            'classes',
            f'fewer than {FEW_OBJECTS} {words.things} to train on: '
            f'{first_few(rare, 20)}',
            words.more_of_class,
        )
