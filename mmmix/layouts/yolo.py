"""Labels in YOLO's text files, beside the images or in a folder of their own.

A line of a label file is ``class x y width height``, with the centre and size as shares
of the image, or ``class x1 y1 x2 y2 x3 y3 ...``, an outline, of which the box counts.
An image without a label file, or with an empty one, has no object.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .endings import in_any_case

SLACK = 0.01
"""How far out of the image a share may be; exporters round."""

LEAST = 2.5e-7
"""Least width and height as shares; single precision, in which models compute, does not
tell the sides of smaller boxes apart. Exporters write six digits."""


class Labels(NamedTuple):
    """What one label file holds.

    Attributes:
        ids: Class of each box, from 0.
        boxes: x1, y1, x2, y2 of each box as shares of the image, in [0, 1].
        faults: What is wrong with lines that could not be read, with file and fix.
    """

    ids: list[int]
    boxes: list[tuple[float, float, float, float]]
    faults: list[str]


def label_file(image: str | Path) -> Path:
    """The file that the labels of an image would be in, whether it is there or not.

    That is ``labels/a/b.txt`` for ``images/a/b.jpg``, with the last folder called
    ``images`` on the way; else, or where only it exists, ``b.txt`` beside the image.
    The ending of a file that is there may be in any case.
    """
    image = Path(image)
    beside = _there(image.with_suffix('.txt'))
    parts = list(image.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == 'images':
            parts[index] = 'labels'
            apart = _there(Path(*parts).with_suffix('.txt'))
            return beside if beside.is_file() and not apart.is_file() else apart
    return beside


def _there(path: Path) -> Path:
    """The path of a label file, with the ending that it has on the disk."""
    return Path(in_any_case(str(path)))


def read_labels(path: str | Path, num_classes: int | None = None) -> Labels:
    """Read one label file.

    Args:
        path: The file; if there is none, there is no object.
        num_classes: Of the data set; ids beyond are faults. None: any are taken.

    Raises:
        ValueError: If it is no text.
    """
    labels = Labels([], [], [])
    try:
        lines = Path(path).read_text(encoding='utf-8-sig').splitlines()
    except FileNotFoundError:
        return labels
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path} is no UTF-8 text ({error.reason} at byte {error.start}); export '
            'it again'
        ) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            name, box = _read_line(line.split(), num_classes)
        except ValueError as error:
            labels.faults.append(f'{path}, line {number}: {error}')
        else:
            labels.ids.append(name)
            labels.boxes.append(box)
    return labels


def _read_line(
    words: Sequence[str], num_classes: int | None
) -> tuple[int, tuple[float, float, float, float]]:
    """Class and box of a line.

    Raises:
        ValueError: With what is wrong and how to mend it.
    """
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise ValueError(f'{error}; write numbers, the class by its place') from None
    count = len(numbers)
    if count != 5 and (count < 7 or count % 2 == 0):
        raise ValueError(
            f'{count} numbers; a box has 5 (class x y width height), an outline the '
            'class and three or more pairs'
        )
    name, *shares = numbers
    if name < 0 or not name.is_integer():
        raise ValueError(f'the class is {words[0]}; write its place in names, from 0')
    if num_classes is not None and name >= num_classes:
        raise ValueError(
            f'the class is {int(name)}, and the names go from 0 to {num_classes - 1}; '
            'add its name in data.yaml, or delete the line'
        )
    if not all(math.isfinite(share) for share in shares):
        raise ValueError('a number is not finite; draw the box again')
    if count == 5 and min(shares[2:]) < 0:
        raise ValueError(
            f'the box is {words[3]} wide and {words[4]} high; write a width and a '
            'height above 0'
        )
    x1, y1, x2, y2 = box = _corners(shares)
    if min(box) < -SLACK or max(box) > 1 + SLACK:
        pixels = max(map(abs, shares)) > 2
        raise ValueError(
            f'the box leaves the image ({x1:g}, {y1:g} to {x2:g}, {y2:g}); '
            + ('divide by the size of the image' if pixels else 'clip it to 0 to 1')
            + ('; of keypoints keep the first five numbers' if count > 5 else '')
        )
    left, top, right, bottom = seen = tuple(min(max(share, 0.0), 1.0) for share in box)
    if min(right - left, bottom - top) < LEAST:
        raise ValueError(
            f'the box has no width or height in the image ({x1:g}, {y1:g} to {x2:g}, '
            f'{y2:g}); delete the line, or draw the box again'
        )
    return int(name), seen


def _corners(shares: Sequence[float]) -> tuple[float, float, float, float]:
    """The box of a centre and a size, or of an outline."""
    if len(shares) == 4:
        x, y, width, height = shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])


def read_data_yaml(path: str | Path) -> dict[str, Any]:
    """Read ``data.yaml``, with ``names`` as a list.

    Raises:
        ValueError: If it is no YAML, or its names are none, or do not count from 0.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding='utf-8-sig'))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is not whole YAML; correct it: {error}') from error
    names = content.get('names') if isinstance(content, dict) else None
    if isinstance(names, dict):
        if set(names) != set(range(len(names))):
            raise ValueError(
                f'{path}: names has the keys {list(names)}; count them from 0, without '
                'gaps or quotes'
            )
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not names:
        raise ValueError(
            f'{path} has {names!r} as names; write names: [first, second, ...], in the '
            'order of the ids'
        )
    names = [str(name) for name in names]
    _check_names(path, names, content.get('nc'))
    return {**content, 'names': names}


def read_names(path: str | Path) -> list[str]:
    """Read a file with the name of a class on each line, in the order of the ids.

    Raises:
        ValueError: If a name is there twice, or a line between names is blank.
    """
    text = Path(path).read_text(encoding='utf-8-sig').rstrip()
    names = [line.strip() for line in text.splitlines()]
    if '' in names:
        raise ValueError(
            f'{path}: line {names.index("") + 1} is blank, and the place of a name is '
            'its id; write the name of that id, or delete the line'
        )
    _check_names(path, names, None)
    return names


def _check_names(path: str | Path, names: Sequence[str], stated: Any) -> None:
    """Check that ids have one name each.

    Args:
        path: Of ``data.yaml``.
        names: In the order of the ids.
        stated: Its number of classes; None if it says none.

    Raises:
        ValueError: If a name is there twice, there are not so many as stated, or what
            is stated is a text.
    """
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(
            f'{path} has {twice} more than once in names; give each id a name of its '
            'own, or one id to all its objects'
        )
    if isinstance(stated, str):
        raise ValueError(
            f'{path} has the text {stated!r} as nc; write nc: {len(names)}, without '
            'quotes'
        )
    if stated is not None and stated != len(names):
        raise ValueError(
            f'{path} has nc: {stated} and {len(names)} names ({", ".join(names)}); '
            'complete the names, or correct nc'
        )
