"""A part of the images for validation, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from mmmix.layouts.near_duplicates import groups_alike, perceptual_hash

from .layout import Item, Layout, Split

VAL_SHARE, SEED = 0.2, 0
"""Where nothing is said: share of the images for validation, and of its draw."""
DRAWS = 50
FEWEST = 2


def complete_splits(layout: Layout, val_share: float, seed: int) -> dict[Path, str]:
    """Give a layout a training and a validation split where it has none.

    Images that look alike go to one side. Of ``DRAWS`` draws the first is taken that
    has every class on both sides, else the one that has the most.

    Args:
        layout: Its ``splits`` are completed.
        val_share: Share of the images for validation, in (0, 1).
        seed: Of the draw.

    Returns:
        The texts of the lists to write, by path.

    Raises:
        ValueError: If there are too few images, or none to train on.
    """
    whole = _to_be_split(layout)
    if whole is not None:
        items = _readable(layout, whole.items)
        if len(items) < 2 * FEWEST:
            raise ValueError(
                f'{layout.root} has {len(items)} labelled images that can be read; a '
                f'training and a validation set need {2 * FEWEST} at least, and a '
                'detector that is of use some hundred'
            )
        for name, part in zip(('train', 'val'), draw(layout, items, val_share, seed)):
            layout.splits[name] = Split(part, dict(whole.settings))
    elif (val_share, seed) != (VAL_SHARE, SEED):
        layout.notes.append(
            'no images are drawn for validation, as the folder has its splits: '
            '--val-share and --seed change nothing. To draw anew, delete the lists '
            'that are called mmmix_train and mmmix_val, if it has them'
        )
    files = dict(layout.renewed)
    known = {'ann_file'} if layout.needs_list else {'ann_file', 'data_prefix'}
    for name, split in layout.splits.items():
        is_new = whole is not None and name in ('train', 'val')
        if is_new or not known & set(split.settings):
            path, text, split.settings = layout.listed(name, split)
            files[path] = text
    return files


def _to_be_split(layout: Layout) -> Split | None:
    """The split that training and validation images are to be drawn from, if any.

    Raises:
        ValueError: If there is none to train on.
    """
    splits = layout.splits
    if 'all' in splits:
        return splits.pop('all')
    if 'train' not in splits:
        raise ValueError(
            f'{layout.root} has the splits {sorted(splits)} and none to train on; call '
            'a folder or list "train"'
        )
    if 'val' in splits:
        return None
    if 'test' not in splits:
        return splits.pop('train')
    splits['val'] = splits['test']
    layout.notes.append(
        'no val list: validation is on the test images, so that the figures of the '
        'best checkpoint are not those of unseen images'
    )
    return None


def draw(
    layout: Layout, items: Sequence[Item], val_share: float, seed: int
) -> tuple[list[Item], list[Item]]:
    """Draw the validation images; returns those to train on, and them."""
    hashes = [item.hash for item in items]
    groups = groups_alike(hashes)
    alike = [group for group in groups if len(group) > 1]
    layout.note(
        'groups of images look alike, and each is kept on one side of the split',
        [items[group[0]].image for group in alike],
        'that is all',
    )
    wanted = min(max(FEWEST, round(val_share * len(items))), len(items) - FEWEST)
    names = [set(item.names) for item in items]
    every = set().union(*names)
    best: tuple[int, set[int]] | None = None
    for number in range(DRAWS):
        val = _draw_once(groups, wanted, random.Random(f'{seed} {number}'))
        sides = [set(), set()]
        for index, some in enumerate(names):
            sides[index in val] |= some
        score = 2 * len(sides[0]) + len(sides[1])
        if best is None or score > best[0]:
            best = score, val
        if score == 3 * len(every):
            break
    val = best[1]
    return (
        [item for index, item in enumerate(items) if index not in val],
        [item for index, item in enumerate(items) if index in val],
    )


def _draw_once(
    groups: Sequence[Sequence[int]], wanted: int, generator: random.Random
) -> set[int]:
    """Groups in a random order until there are as many images as wanted."""
    val: set[int] = set()
    for group in generator.sample(list(groups), len(groups)):
        if len(val) + len(group) <= wanted or not val:
            val.update(group)
        if len(val) >= wanted:
            break
    return val


def _readable(layout: Layout, items: Sequence[Item]) -> list[Item]:
    """The images that can be decoded, with their hashes; others are noted."""
    broken, kept = [], []
    for item in tqdm(items, desc='looking for images that look alike', disable=None):
        item.hash = perceptual_hash(item.image)
        (broken if item.hash is None else kept).append(item)
    layout.note(
        'images cannot be read and are left out',
        [item.image for item in broken],
        'get them again',
    )
    return kept
