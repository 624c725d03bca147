"""How the images that are trained on differ from those that a model is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from mmmix.apis.data_checks.class_names import Source

from .anchors import object_sides
from .data_sets import Loaded, class_counts, infos
from .finding import OK, WARNING, Finding
from .words import Words

FACTOR = 2.0
"""Between medians of sizes; from here on it is warned of."""
DISTANCE = 0.3
"""Between the shares of classes (total variation, in [0, 1]); likewise."""
FEWEST = 20
"""Objects; figures of fewer say little."""
NAMED = 5


def check_shifts(loaded: Loaded) -> Iterator[Finding]:
    """Compare what is trained on with unlabelled images and with the other splits.

    With images of two domains the labelled ones are the source; the target is the
    unlabelled ones and whatever it is validated and tested on.

    Args:
        loaded: The data sets.
    """
    train = loaded.sources.get('train', ())
    source = [one for one in train if one.labelled]
    bare = [one for one in train if not one.labelled]
    if source and bare:
        yield from _image_sizes(source, bare)
    for split in ('val', 'test'):
        other = [one for one in loaded.sources.get(split, ()) if one.labelled]
        if source and other:
            yield from _object_sizes(loaded, split)
            yield from _class_shares(source, other, split, loaded.words)


def _image_sizes(source: Sequence[Source], bare: Sequence[Source]) -> Iterator[Finding]:
    """Sizes of labelled and unlabelled images."""
    ours, theirs = _sizes(source), _sizes(bare)
    if not (len(ours) and len(theirs)):
        return
    first, second = np.median(ours, axis=0), np.median(theirs, axis=0)
    factor = float(np.sqrt(second.prod() / first.prod()))
    far = not 1 / FACTOR < factor < FACTOR
    yield Finding(
        WARNING if far else OK,
        'unlabelled images',
        f'{len(theirs)} of {second[0]:.0f} x {second[1]:.0f} pixels (medians), beside '
        f'{len(ours)} labelled ones of {first[0]:.0f} x {first[1]:.0f}',
        'both are resized alike: look whether their objects are of like size then '
        '(mmmix browse CONFIG), else cut or tile one of them'
        if far
        else '',
    )


def _sizes(sources: Sequence[Source]) -> np.ndarray:
    """Width and height of all images that state them: (N, 2)."""
    every = (info for source in sources for info in infos(source))
    sizes = [(info.get('width'), info.get('height')) for info in every]
    return np.array([size for size in sizes if all(size)], dtype=float).reshape(-1, 2)


def _object_sizes(loaded: Loaded, split: str) -> Iterator[Finding]:
    """Sizes of objects, as the network sees them."""
    ours, theirs = object_sides(loaded), object_sides(loaded, split)
    if min(len(ours), len(theirs)) < FEWEST:
        return
    first, second = (np.median(np.sqrt(sides.prod(1))) for sides in (ours, theirs))
    far = not 1 / FACTOR < second / first < FACTOR
    yield Finding(
        WARNING if far else OK,
        f'{split} objects',
        f'{second:.0f} px at the size that the network sees, those to train on '
        f'{first:.0f} px (medians)',
        'label images at the distance that the detector is for, or vary the size in '
        'train_pipeline (RandomResize)'
        if far
        else '',
    )


def _class_shares(
    source: Sequence[Source], other: Sequence[Source], split: str, words: Words
) -> Iterator[Finding]:
    """How often each class occurs among the objects, or images of a classifier."""
    ours, theirs = (
        sum((class_counts(one) for one in sources), Counter())
        for sources in (source, other)
    )
    if min(ours.total(), theirs.total()) < FEWEST:
        return
    shares = {
        name: (ours[name] / ours.total(), theirs[name] / theirs.total())
        for name in {*ours, *theirs}
    }
    distance = sum(abs(a - b) for a, b in shares.values()) / 2
    far = distance > DISTANCE
    most = sorted(shares, key=lambda name: -abs(shares[name][1] - shares[name][0]))
    some = ', '.join(
        f'{name} {shares[name][1]:.0%} (train {shares[name][0]:.0%})'
        for name in most[:NAMED]
    )
    yield Finding(
        WARNING if far else OK,
        f'{split} classes',
        f'their shares differ by {distance:.0%} from those to train on: {some}',
        words.shares_differ if far else '',
    )
