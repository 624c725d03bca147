"""Which text files of a folder list the images of its splits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from mmmix.layouts.endings import that_end_in


def stated_lists(
    files: Iterable[Path], homes: Collection[Path], names: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Path], list[Path]]:
    """The lists of each split.

    Args:
        files: That may be lists.
        homes: Folders whose lists count, if they have any, and no others.
        names: What a list of a split may be called, without its ending; the first
            that is there counts.

    Returns:
        The list of each split that has one, and lists that do not count.

    Raises:
        ValueError: If several lists of a split are called the same.
    """
    known = {stem for stems in names.values() for stem in stems}
    lists = [p for p in that_end_in(files, '.txt') if p.stem.lower() in known]
    counting = [path for path in lists if path.parent in homes] or lists
    called: dict[str, list[Path]] = {}
    for path in counting:
        called.setdefault(path.stem.lower(), []).append(path)
    found = {}
    for name, stems in names.items():
        paths = next((called[stem] for stem in stems if stem in called), [])
        if len(paths) > 1:
            raise ValueError(
                f'{len(paths)} lists are for {name}: {", ".join(map(str, paths))}; '
                'take those that do not count out of the folder'
            )
        if paths:
            found[name] = paths[0]
    return found, [path for path in lists if path not in counting]
