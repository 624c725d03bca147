"""The checkpoint that a training is used by, where none is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from mmengine.runner import CheckpointLoader

from .loading import install_safe_loading
from .resume import best_checkpoints, last_checkpoint


def best_checkpoint(work_dir: str | Path, config: str, trust: bool = False) -> str:
    """The checkpoint of a training, as ``mmmix train`` leaves it.

    The best one, of several the one of the most epochs or iterations; else the last.
    Best ones that an earlier run left are passed over, as far as the last checkpoint
    tells which are its own.

    Args:
        work_dir: Folder of the training.
        config: Of the training, for the message.
        trust: Whether the last checkpoint may hold more than tensors and plain values.

    Raises:
        DamagedCheckpointError: If there are checkpoints, and none is whole.
        FileNotFoundError: If there is none.
    """
    folder = Path(work_dir)
    best = sorted(best_checkpoints(folder), key=_saved_at)
    if len(best) > 1:
        best = _of_last_run(best, folder, trust) or best
    last = str(best[-1]) if best else last_checkpoint(folder)
    if last:
        return last
    raise FileNotFoundError(
        f'{folder.absolute()} has no checkpoint of its last run; name one behind the '
        f'config, or train first: mmmix train {shlex.quote(config)}'
    )


def _of_last_run(best: Sequence[Path], folder: Path, trust: bool) -> list[Path]:
    """Those of the best checkpoints that the last one names; none if it cannot tell."""
    try:
        last = last_checkpoint(folder)
        if last is None:
            return []
        with install_safe_loading(trust):
            # It is asked which files are its own, and is not what detects.
            saved = CheckpointLoader.load_checkpoint(last, 'cpu', logger='silent')
    except ValueError:  # damaged, or not trusted
        return []
    info = (saved.get('message_hub') or {}).get('runtime_info') or {}
    known = {
        Path(value).name
        for key, value in info.items()
        if key.startswith('best_ckpt') and isinstance(value, str)
    }
    return [path for path in best if path.name in known]


def _saved_at(path: Path) -> tuple[int, float]:
    """The epoch or iteration in a checkpoint's name, and when it was written."""
    number = re.search(r'_(\d+)\.pth$', path.name)
    return int(number[1]) if number else 0, path.stat().st_mtime
