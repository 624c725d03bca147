"""Which checkpoint a run continues from, and what to do when it cannot."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path


class DamagedCheckpointError(ValueError):
    """A checkpoint that cannot be read to its end."""


def intact_checkpoints(folder: str | Path) -> list[Path]:
    """Checkpoints of a folder that a run can continue from, newest first.

    A file that was cut short lacks the directory at the end of its archive and
    is left out.
    """
    files = [
        path
        for path in Path(folder).glob('*.pth')
        if re.fullmatch(r'(epoch|iter)_\d+\.pth', path.name)
        and zipfile.is_zipfile(path)
    ]
    return sorted(files, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def resume_advice(folder: str | Path, without: str | Path = '') -> str:
    """A sentence that names the checkpoints of a folder and how to use one."""
    found = [path for path in intact_checkpoints(folder) if path != Path(without)]
    if not found:
        return f'There is no other intact checkpoint in {Path(folder).resolve()}.'
    names = ', '.join(path.name for path in found)
    return (
        f'Nothing was changed; intact checkpoints in {Path(folder).resolve()}, newest '
        f'first: {names}. Continue from one with --resume {found[0]}'
    )


def last_checkpoint(work_dir: str | Path) -> str | None:
    """The checkpoint that ``--resume`` without a path continues from.

    Args:
        work_dir: Folder of the run; its file ``last_checkpoint`` names the
            checkpoint. A folder that was moved or is seen from another current
            directory is found by the checkpoint's name.

    Returns:
        The checkpoint, or None if the run has saved none.

    Raises:
        DamagedCheckpointError: If the checkpoint is missing or cut short, or if
            there are checkpoints but no ``last_checkpoint`` says which one.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / 'last_checkpoint'
    named = pointer.read_text().strip() if pointer.is_file() else ''
    if not named:
        if not list(work_dir.glob('*.pth')):
            return None
        raise DamagedCheckpointError(
            f'{pointer} does not name a checkpoint to resume from, as after a crash '
            f'while saving. {resume_advice(work_dir)}'
        )
    if '://' in named:
        return named
    path = Path(named) if Path(named).exists() else work_dir / Path(named).name
    if path.is_dir() or zipfile.is_zipfile(path):
        return str(path)
    state = (
        f'has {path.stat().st_size} bytes and is cut short'
        if path.exists()
        else ('does not exist')
    )
    raise DamagedCheckpointError(
        f'the last checkpoint {path} {state}. {resume_advice(path.parent)}'
    )


def existing_checkpoint(path: str) -> str:
    """Return a path given by the user after making sure that it exists.

    Raises:
        FileNotFoundError: If it is no URL and no file; with the checkpoints that
            are in its folder.
    """
    if '://' in path or Path(path).expanduser().exists():
        return path
    folder = Path(path).expanduser().parent
    raise FileNotFoundError(
        f'no checkpoint at {Path(path).expanduser().resolve()}. {resume_advice(folder)}'
    )
