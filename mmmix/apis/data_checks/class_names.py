"""Class names against the data, and against each other."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mmmix.datasets.contents import Contents, ImageNotes
from mmmix.layouts.first_few import first_few
from mmmix.layouts.spelling import alike_remarks

SHOWN = 20
NO_CHECK = 'to go on all the same: --no-check'


class Source(NamedTuple):
    """One data set of a run.

    Attributes:
        key: Its place in the config.
        dataset: The data set.
        classes: Its names, by label; None if it has none.
        labelled: Whether its pipeline reads labels.
        contents: What its annotations hold; None if nobody looked.
        images: What passed while a classifier's was loaded; likewise.
    """

    key: str
    dataset: Any
    classes: tuple[str, ...] | None
    labelled: bool
    contents: Contents | None
    images: ImageNotes | None = None


def check_class_names(sources: Sequence[Source], training: bool) -> list[str]:
    """Compare the classes of all data sets with each other and with what occurs.

    Data sets without labels only help to tell which names occur anywhere.

    Args:
        sources: The data sets.
        training: Whether the run trains.

    Returns:
        Warnings: of classes that are spelled alike, of names that a data set lacks, and
        of names that it drops although they read like a class.

    Raises:
        ValueError: If data sets differ in their classes, an annotation file orders
            its categories otherwise, or a class occurs nowhere.
    """
    labelled = [s for s in sources if s.labelled and s.classes is not None]
    watched = [source for source in labelled if source.contents]
    if training and len(watched) == len(labelled):
        _check_occurrence(watched, sources)
    _check_agreement(labelled)
    for source in watched:
        notes = source.contents
        if notes.categories is not None and notes.names:
            where = f'{source.key} ({notes.source})'
            check_order(where, notes.categories, source.classes, NO_CHECK)
    if not training:
        for source in watched:
            _check_any(source)
    alike = alike_remarks(name for source in labelled for name in source.classes)
    return [*alike, *(text for source in watched for text in _remarks(source))]


def nearest(name: str, others: Iterable[str]) -> str | None:
    """The name that is spelled most like another, if one is at all alike."""
    plain = {_plain(other): other for other in others if other and other != name}
    found = difflib.get_close_matches(_plain(name), plain, 1, 0.7)
    return plain[found[0]] if found else None


def _check_agreement(sources: Sequence[Source]) -> None:
    """Raise unless all data sets number the same classes alike."""
    for source in sources[1:]:
        if source.classes == sources[0].classes:
            continue
        first, other = sources[0], source
        raise ValueError(
            f'the classes of {first.key} are {_list(first.classes)}, and those of '
            f'{other.key} are {_list(other.classes)}: one label would mean two '
            'classes. Give all data sets the same metainfo=dict(classes=...), in one '
            f'order; {NO_CHECK}'
        )


def check_order(
    where: str, categories: Sequence[str], classes: Sequence[str], way_out: str = ''
) -> None:
    """Refuse a file whose categories number the classes otherwise.

    mmdet's ``CocoDataset`` numbers labels in the order of the file and leaves out
    classes that it does not declare, which shifts all that follow.

    Args:
        where: The data set and its file, for the message.
        categories: Names that the file declares, those that are read by their label.
        classes: Those of the data set.
        way_out: What else helps, at the end of the message.

    Raises:
        ValueError: If a class is no category, or has another place.
    """
    order = tuple(name for name in categories if name in classes)
    if order == tuple(classes):
        return
    end = f'; {way_out}' if way_out else ''
    missing = [name for name in classes if name not in order]
    if missing:
        raise ValueError(
            f'{where} has no category {_with_nearest(missing, categories)}; '
            f'its categories are {_list(categories)}. Labels follow the '
            'categories of the file, so that all classes after it would be shifted. '
            f'Correct metainfo=dict(classes=...){end}'
        )
    raise ValueError(
        f'{where}: labels follow the order of the categories in the file, '
        f'{_list(order)}, and the classes are {_list(classes)}: classes would '
        'be swapped. Write metainfo=dict(classes=...) of all data sets in the order of '
        f'the file, or sort the categories of all files alike{end}'
    )


def _check_occurrence(watched: Sequence[Source], sources: Sequence[Source]) -> None:
    """Raise if a class occurs in no data set of any split."""
    classes = dict.fromkeys(name for source in watched for name in source.classes)
    known = {n for s in sources if s.contents for n in s.contents.known}
    missing = [name for name in classes if name not in known]
    if not missing:
        return
    counts: Counter = sum((s.contents.names for s in watched), Counter())
    files = ', '.join(dict.fromkeys(source.contents.source for source in watched))
    raise ValueError(
        f'no annotation has the class {_with_nearest(missing, known)}. What occurs: '
        f'{_counted(counts)}; in {files}. Correct metainfo=dict(classes=...), or take '
        f'the class out of it; {NO_CHECK}'
    )


def _check_any(source: Source) -> None:
    """Raise if a data set to test on has objects, and none of a class."""
    names = source.contents.names
    if names and not any(name in names for name in source.classes):
        raise ValueError(
            f'{source.key} ({source.contents.source}) has no object of any class. The '
            f'classes are {_list(source.classes)}; what occurs: {_counted(names)}. '
            f'Correct metainfo=dict(classes=...); {NO_CHECK}'
        )


def _remarks(source: Source) -> list[str]:
    """What of one data set should be known but stops nothing."""
    names = source.contents.names
    where = f'{source.key} ({source.contents.source})'
    dropped = {n: c for n, c in names.items() if n not in source.classes}
    missing = [name for name in source.classes if name not in names]
    remarks = []
    if missing and names:
        text = f'{where} has no object of the class {_with_nearest(missing, dropped)}'
        others = f'; names that are no classes: {_counted(dropped)}' if dropped else ''
        remarks.append(text + others)
    alike = {_plain(name): name for name in source.classes}
    for name, count in dropped.items():
        if name and _plain(name) in alike and alike[_plain(name)] not in missing:
            remarks.append(
                f'{where}: {count} objects called {name!r} are dropped; did they mean '
                f'{alike[_plain(name)]!r}?'
            )
        elif not name:
            remarks.append(f'{where}: {count} objects without a name are dropped')
    return remarks


def _plain(name: str) -> str:
    """A name without what is often spelled otherwise."""
    return ''.join(letter for letter in name.casefold() if letter.isalnum())


def _with_nearest(missing: Sequence[str], others: Iterable[str]) -> str:
    """Names with what they may be meant for."""
    texts = []
    for name in missing[:SHOWN]:
        other = nearest(name, others)
        texts.append(f'{name!r}' + (f' (did you mean {other!r}?)' if other else ''))
    return first_few([*texts, *missing[SHOWN:]], SHOWN)


def _counted(names: Counter | dict[str, int]) -> str:
    """Names and how often they occur, the commonest first."""
    texts = [f'{name!r} ({count})' for name, count in Counter(names).most_common()]
    return first_few(texts, SHOWN) or 'none'


def _list(names: Sequence[str]) -> str:
    """Some names, in their order."""
    return first_few([repr(name) for name in names], SHOWN)
