"""Image files of all data sets: there, whole, of the stated size, and on one side."""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from mmmix.apis.data_checks.class_names import Source
from mmmix.apis.data_checks.images import image_loader, look_at_image
from mmmix.layouts.bit_depth import is_nearly_black
from mmmix.layouts.first_few import first_lines
from mmmix.layouts.near_duplicates import (
    differ_in_detail,
    pairs_alike,
    perceptual_hash,
)

from .data_sets import Loaded, infos
from .finding import FAULT, OK, WARNING, Finding

SHOWN = 5


def check_pictures(loaded: Loaded) -> Iterator[Finding]:
    """Decode every image once; compare training images with the others."""
    hashes: dict[str, dict[str, int]] = {}
    for split, sources in loaded.sources.items():
        hashes[split] = {}
        for source in sources:
            yield from _look_at(split, source, hashes[split])
    for split in ('val', 'test'):
        yield from _duplicates(
            hashes.get('train', {}), hashes.get(split, {}), split, loaded.words.copies
        )


def _look_at(split: str, source: Source, hashes: dict[str, int]) -> Iterator[Finding]:
    """The images of one data set; their hashes are added to ``hashes``."""
    loader = image_loader(source.dataset)
    if loader is None:
        return
    faults, broken, dark, orientations = [], [], [], Counter()
    every = list(infos(source))
    for info in tqdm(every, desc=f'{split} images', disable=None, leave=False):
        path = str(info.get('img_path'))
        try:
            header = look_at_image(info, source, loader)
        except (FileNotFoundError, ValueError) as error:
            faults.append(str(error))
            continue
        orientations[header.orientation if header else 1] += 1
        value = perceptual_hash(path)
        if value is None:
            broken.append(path)
        else:
            hashes[path] = value
            if is_nearly_black(path):
                dark.append(path)
    yield from _say_faults(split, faults, broken, every)
    yield from _say_dark(split, dark, len(every))
    # Images of a classifier seldom have any.
    boxes = any(info.get('instances') or 'gt_bboxes' in info for info in every)
    yield from _say_orientations(split, orientations, boxes)


def _say_faults(
    split: str, faults: Sequence[str], broken: Sequence[str], every: Sequence[Any]
) -> Iterator[Finding]:
    """Images that are missing, of another size, or not whole."""
    where, count = f'{split} images', len(every)
    if faults:
        yield Finding(
            FAULT,
            where,
            f'{len(faults)} of {count} are missing or do not fit:\n'
            f'{first_lines(faults, SHOWN)}',
        )
    if broken:
        yield Finding(
            FAULT,
            where,
            f'{len(broken)} of {count} cannot be decoded:\n'
            f'{first_lines(broken, SHOWN)}',
            'get the files again, or take them out of the data',
        )
    if not faults and not broken:
        sized = any(info.get('width') and info.get('height') for info in every)
        size = ', whole and of the stated size' if sized else ' and whole'
        yield Finding(OK, where, f'{count} are there{size}')


def _say_dark(split: str, dark: Sequence[str], count: int) -> Iterator[Finding]:
    """Images of more than 8 bits that use few of them."""
    if dark:
        yield Finding(
            WARNING,
            f'{split} images',
            f'{len(dark)} of {count} have 16 bits, of which the lower ones are used '
            f'alone: they are loaded nearly black\n{first_lines(dark, SHOWN)}',
            'convert them to 8 bits, stretched to the range from 0 to 255',
        )


def _say_orientations(
    split: str, orientations: Counter, boxes: bool
) -> Iterator[Finding]:
    """Images that EXIF turns or mirrors."""
    turned = sum(count for value, count in orientations.items() if value >= 5)
    mirrored = sum(count for value, count in orientations.items() if 2 <= value <= 4)
    if not boxes:
        if turned or mirrored:
            text = f'{turned + mirrored} are turned or mirrored by EXIF, and loaded so'
            yield Finding(OK, f'{split} images', text)
        return
    if turned:
        yield Finding(
            OK, f'{split} images', f'{turned} are turned by EXIF, and their boxes too'
        )
    if mirrored:
        yield Finding(
            WARNING,
            f'{split} images',
            f'{mirrored} are mirrored or turned upside down by EXIF; their size does '
            'not tell whether their boxes are for them as stored or as shown',
            'look at some: mmmix browse CONFIG',
        )


def _duplicates(
    train: dict[str, int], other: dict[str, int], split: str, fix: str
) -> Iterator[Finding]:
    """Images of another split that look like one to train on."""
    names, others = list(train), list(other)
    pairs = pairs_alike(list(train.values()), list(other.values()))
    leaked: dict[int, int] = {}
    for i, j in pairs:
        if j not in leaked and not differ_in_detail(names[i], others[j]):
            leaked[j] = i
    if not leaked:
        if names and others:
            text = f'no {split} image looks like one of the {len(names)} to train on'
            yield Finding(OK, 'duplicates', text)
        return
    found = [(others[j], names[i]) for j, i in leaked.items()]
    some = [
        f'{other} is {"" if filecmp.cmp(other, name, shallow=False) else "like "}{name}'
        for other, name in found
    ]
    yield Finding(
        WARNING,
        'duplicates',
        f'{len(leaked)} of {len(others)} {split} images look like images to train on: '
        f'the figures of {split} will be too good\n{first_lines(some, SHOWN)}',
        fix,
    )
