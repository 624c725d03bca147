"""What all processes of a run have to see alike before it begins."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mmengine.dist import all_gather_object, broadcast_object_list, is_main_process

T = TypeVar('T')


def decided_by_first(decide: Callable[[], T]) -> T:
    """What the first process decides, for all of them.

    What it raises is raised in all, so that none waits for a process that has ended.

    Args:
        decide: Called in the first process alone; the result is sent by pickle.
    """
    answer: list = [None, None]
    if is_main_process():
        try:
            answer[0] = decide()
        except Exception as error:
            answer[1] = error
    broadcast_object_list(answer)
    if answer[1] is not None:
        raise answer[1]
    return answer[0]


def any_process(here: bool) -> bool:
    """Whether something holds in any process of the run."""
    return any(all_gather_object(here))


def check_seen_by_all(path: str) -> None:
    """Refuse a checkpoint that only some machines see: the others would begin anew.

    Raises:
        FileNotFoundError: In all processes, naming the machines without it.
    """
    there = '://' in path or Path(path).expanduser().exists()
    hosts = all_gather_object('' if there else socket.gethostname())
    blind = sorted({host for host in hosts if host})
    if blind:
        raise FileNotFoundError(
            f'{path} is not there on {", ".join(blind)}: a run of several machines '
            'needs a working directory on storage that all of them share, under the '
            'same path; give it by --work-dir'
        )
