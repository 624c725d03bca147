"""Which checkpoint a run continues from, and what to do when it cannot."""

from __future__ import annotations

import re
import shlex
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmix.engine.earlier_checkpoints import (
    POINTER,
    earlier_checkpoints,
    note_earlier,
)
from mmmix.engine.whole_files import write_whole


class DamagedCheckpointError(ValueError):
    """A checkpoint that cannot be read to its end."""


def checkpoint_damage(path: str | Path) -> str:
    """What keeps a checkpoint from being whole; an empty text if nothing does.

    All of the file is read, and compared with the checksums that it carries. A
    folder, as deepspeed writes them, is taken to be whole.
    """
    path = Path(path)
    if path.is_dir():
        return ''
    if not path.exists():
        return 'does not exist'
    size = f'has {path.stat().st_size} bytes and'
    if not zipfile.is_zipfile(path):
        return f'{size} is cut short'
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        return f'{size} is damaged ({error})'
    return f'{size} is damaged in {broken}' if broken else ''


def intact_checkpoints(folder: str | Path) -> list[Path]:
    """Checkpoints of a folder that a run can continue from, newest first."""
    return [path for path in checkpoints(folder) if not checkpoint_damage(path)]


def checkpoints(folder: str | Path) -> list[Path]:
    """Checkpoints of a folder, whole or not, newest first; the best are none.

    Among those of epochs, and among those of iterations, the number says which is
    newer: a copy of a folder need not keep times, which only order the two kinds.
    """
    kinds: dict[str, list[Path]] = {}
    for path in Path(folder).glob('*.pth'):
        kind, _ = _counted(path)
        if kind:
            kinds.setdefault(kind, []).append(path)
    rows = [
        sorted(files, key=lambda path: _counted(path)[1]) for files in kinds.values()
    ]
    found = []
    while any(rows):
        heads = [row for row in rows if row]
        found.append(max(heads, key=lambda row: _written(row[-1])).pop())
    return found


def best_checkpoints(folder: str | Path) -> list[Path]:
    """The best checkpoints of the last run in a folder, whole or not, by their name."""
    earlier = earlier_checkpoints(folder)
    return [path for path in _all_best(folder) if path.name not in earlier]


def _all_best(folder: str | Path) -> list[Path]:
    """The best checkpoints of all runs in a folder."""
    return sorted(Path(folder).glob('best_*.pth'))


def _counted(path: Path) -> tuple[str, int]:
    """What a checkpoint counts, and how many; ``('', 0)`` of another name."""
    match = re.fullmatch(r'(epoch|iter)_(\d+)\.pth', path.name)
    return (match[1], int(match[2])) if match else ('', 0)


def _written(path: Path) -> int:
    """When a file was written, in nanoseconds."""
    return path.stat().st_mtime_ns


def resume_advice(folder: str | Path, without: str | Path = '') -> str:
    """A sentence that names the checkpoints of a folder and how to use one."""
    found = [path for path in intact_checkpoints(folder) if path != Path(without)]
    if not found:
        return f'There is no other intact checkpoint in {Path(folder).resolve()}.'
    names = ', '.join(path.name for path in found)
    return (
        f'Nothing was changed; intact checkpoints in {Path(folder).resolve()}, newest '
        f'first: {names}. Name one of them instead; a training goes on from it by '
        f'--resume {shlex.quote(str(found[0]))}'
    )


def last_checkpoint(work_dir: str | Path) -> str | None:
    """The checkpoint that ``--resume`` without a path continues from.

    See :func:`newest_checkpoint`, which also says why it is another one than
    ``last_checkpoint`` names.
    """
    return newest_checkpoint(work_dir)[0]


def newest_checkpoint(work_dir: str | Path) -> tuple[str | None, str]:
    """The newest checkpoint of a run that is whole, and a remark on the choice.

    It is the one that the file ``last_checkpoint`` names, unless that is broken or
    gone, or a whole one was written after that file: a run that is killed between the
    two leaves them so. Of fewer epochs, or fewer iterations, it is none the less an
    older one, whose time a copy has not kept. Those that :func:`begin_run` noted as an
    earlier run's are left out. A folder that was moved or is seen from
    another current directory is found by the checkpoint's name.

    Args:
        work_dir: Folder of the run.

    Returns:
        The checkpoint, or None if the run has saved none; and a sentence if it is not
        the one that ``last_checkpoint`` names, else an empty text.

    Raises:
        DamagedCheckpointError: If there are checkpoints, and none is whole.
    """
    pointer = Path(work_dir) / POINTER
    named, path = _named(work_dir)
    if '://' in named:
        return named, ''
    folder = path.parent
    state = checkpoint_damage(path)
    earlier = earlier_checkpoints(work_dir)
    others = [
        other
        for other in checkpoints(folder)
        if other != path and other.name not in earlier
    ]
    if named:
        others = _candidates(others, path, _written(pointer), bool(state))
    for other in others:
        if not checkpoint_damage(other):
            reason = f'{path} {state}' if state else f'{other.name} is newer'
            if not named:
                reason = f'{pointer} names none'
            return str(other), f'{reason}: going on from {other}, which is whole.'
    if not state:
        return str(path), ''
    if not named and not others:
        return None, ''
    raise DamagedCheckpointError(
        f'the last checkpoint {path} {state}. {resume_advice(folder)} Move the broken '
        'files away to begin anew'
        if named
        else f'no checkpoint in {folder.resolve()} is whole: '
        f'{", ".join(other.name for other in others)}. Move them away to begin anew'
    )


def _named(work_dir: str | Path) -> tuple[str, Path]:
    """What ``last_checkpoint`` has in it, and the file that it means."""
    pointer = Path(work_dir) / POINTER
    named = pointer.read_text(errors='replace').strip() if pointer.is_file() else ''
    if named and Path(named).exists():
        return named, Path(named)
    return named, Path(work_dir) / (Path(named).name or 'none')


def begin_run(work_dir: str | Path, resumed: str | None) -> None:
    """Note which checkpoints of a folder a run that begins in it has no part in.

    They stay, but until the run has a checkpoint of its own nothing goes on from one
    of them unless it is named: neither a job that is started anew nor ``--resume``.
    Best ones are noted likewise.

    Args:
        work_dir: Folder of the run.
        resumed: The checkpoint that the run goes on from; None if it begins anew. With
            one of this folder those that are newer are noted.
    """
    pointer, (named, last) = Path(work_dir) / POINTER, _named(work_dir)
    given, found = Path(resumed or '').expanduser(), checkpoints(last.parent)
    start = given.resolve()
    places = [path.resolve() for path in found]
    best = {path.name for path in _all_best(work_dir)}
    if resumed == named and '://' in named:
        return
    if start in places:
        earlier = earlier_checkpoints(work_dir)
        best &= set() if start.name in earlier else earlier
        newer = [path.name for path in found[: places.index(start)]]
        note_earlier(work_dir, [*newer, *best])
        if last.resolve() != start:
            write_whole(pointer, str(given).encode())
        return
    remote = [last.name] if '://' in named else []
    note_earlier(work_dir, [*remote, *best, *(path.name for path in found)])
    pointer.unlink(missing_ok=True)


def refuse_earlier(work_dir: str | Path) -> None:
    """Refuse to choose among checkpoints of which the last run has no part.

    Raises:
        ValueError: If there are some; with how to go on from one.
    """
    if any(_counted(Path(name))[0] for name in earlier_checkpoints(work_dir)):
        raise ValueError(
            f'the last run in {work_dir} was ended before it saved a checkpoint, and '
            'those there are of a run before it; without --resume it begins anew. '
            f'{resume_advice(work_dir)}'
        )


def _candidates(
    others: list[Path], named: Path, since: int, broken: bool
) -> list[Path]:
    """Those that may take the place of the one that ``last_checkpoint`` names.

    Args:
        others: The other checkpoints, newest first.
        named: The one that is named.
        since: When its name was written, in nanoseconds.
        broken: Whether it cannot be used, so that older ones will do. Last come those
            with a greater number and an earlier time: an earlier run left them.
    """
    kind, number = _counted(named)

    def beyond(path: Path) -> bool:
        return _counted(path)[0] != kind or _counted(path)[1] > number

    later = [path for path in others if _written(path) > since and beyond(path)]
    if not broken:
        return later
    rest = [path for path in others if path not in later]
    return later + sorted(
        rest, key=lambda path: _counted(path)[0] == kind and beyond(path)
    )


def existing_checkpoint(path: str) -> str:
    """Return a path given by the user after making sure that it exists.

    Raises:
        FileNotFoundError: If it is no URL and no file, or the folder of a run; with
            the checkpoints that are in its folder, or in it.
    """
    file = Path(path).expanduser()
    of_run = file.is_dir() and ((file / POINTER).exists() or checkpoints(file))
    if '://' in path or (file.exists() and not of_run):
        return path
    place = file.resolve()
    what = f'{place} is the folder of a run' if of_run else f'no checkpoint at {place}'
    raise FileNotFoundError(f'{what}. {resume_advice(file if of_run else file.parent)}')


def check_resumable(checkpoint: Mapping[str, Any], path: str) -> None:
    """Refuse to resume from a file that only has weights.

    The best checkpoint, an exported detector and published weights are such files;
    mmengine would go on with a new optimizer and the schedule from its start.

    Raises:
        ValueError: Naming what is missing, and the two ways on.
    """
    missing = [key for key in ('optimizer', 'meta') if key not in checkpoint]
    if missing:
        raise ValueError(
            f'{path} cannot be resumed: it has no {" and no ".join(missing)}, only '
            'weights. Resume from the epoch_*.pth or iter_*.pth of the run; or start a '
            'new run from these weights with --cfg-options '
            + shlex.quote(f'load_from={path}')
        )
