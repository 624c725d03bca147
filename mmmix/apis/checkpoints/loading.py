"""Safe loading for every way a checkpoint comes in.

mmengine reads all checkpoints (``--resume``, ``load_from``, ``Pretrained``; local,
``http://``, ``torchvision://`` and so on) through one method,
``CheckpointLoader.load_checkpoint``. While it runs, ``torch.load`` is replaced. What
is read goes into a model by another, which :mod:`mmmix.apis.checkpoints.fit` watches.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile

import torch
from mmengine.runner import CheckpointLoader

from mmmix.apis.checkpoints.fit import FitCheck, ForeignCheckpointError
from mmmix.apis.checkpoints.resume import DamagedCheckpointError, resume_advice
from mmmix.apis.replacing import replaced
from mmmix.apis.safe_loading.archive import ProgramError, load_safely, load_trustingly
from mmmix.apis.safe_loading.values import UnsafePickleError

_CUT_SHORT = re.compile(
    r'PytorchStreamReader|central directory|corrupt|unexpected EOF|legacy \.tar'
)
_download_url = torch.hub.download_url_to_file


class UnsafeCheckpointError(ValueError):
    """A checkpoint that holds more than tensors and plain containers."""


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--trust-checkpoint``, which the errors of a refused file name."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold more than tensors and plain containers; '
        'such a file can run any code, so only if you know where it comes from',
    )


def install_safe_loading(trust: bool = False) -> ExitStack:
    """Make mmengine load checkpoints safely from now on.

    A loaded checkpoint also loses ``meta['config']``: mmengine would execute that
    text as Python when it resumes. A load into a model has to fit: in full where it
    is strict, else in part.

    Args:
        trust: Load whatever a file holds, code included, as classic mmengine
            did. Only for files whose origin is known.

    Returns:
        A context manager that undoes the installation when it is closed or its
        ``with`` block ends. Installations nest; the innermost one counts.

    Example:
        >>> with install_safe_loading():
        ...     runner.train()
    """
    previous = CheckpointLoader.__dict__['load_checkpoint']
    original = getattr(previous.__func__, '__wrapped__', previous.__func__)
    fit = FitCheck()

    @functools.wraps(original)
    def load_checkpoint(
        cls: type, filename: str, map_location: Any = None, logger: Any = 'current'
    ) -> Any:
        loader = functools.partial(_load, str(filename), trust)
        with (
            replaced(torch, 'load', loader),
            replaced(torch.hub, 'download_url_to_file', _download),
            _explained(str(filename)),
        ):
            checkpoint = original(cls, filename, map_location, logger)
        _check_content(str(filename), checkpoint)
        fit.read(str(filename), checkpoint)
        if not trust:
            # Runner.resume would execute this text.
            checkpoint.get('meta', {}).pop('config', None)
        return checkpoint

    CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
    undo = ExitStack()
    undo.enter_context(fit.installed())
    undo.callback(setattr, CheckpointLoader, 'load_checkpoint', previous)
    return undo


def _load(name: str, trust: bool, file: Any, *args: Any, **options: Any) -> Any:
    """``torch.load`` with errors that name the file and the way out."""
    path = str(file) if isinstance(file, (str, os.PathLike)) else name
    try:
        return (load_trustingly if trust else load_safely)(file, *args, **options)
    except UnsafePickleError as error:
        raise UnsafeCheckpointError(
            f'{path} was not loaded: a checkpoint holds tensors and plain '
            f'containers, this file asks for {error.request}, which could run any '
            'code. If you know where the file comes from and trust it, add '
            '--trust-checkpoint'
        ) from error
    except ProgramError as error:
        raise ForeignCheckpointError(
            f'{path} is {error} and no checkpoint. Expected a file of torch.save '
            'with the weights of a model, such as epoch_12.pth'
        ) from error
    except Exception as error:
        if not _is_damage(error, trust):
            raise
        raise DamagedCheckpointError(_describe_damage(path, file, error)) from error


def _is_damage(error: Exception, trust: bool) -> bool:
    """Whether an error of reading a file comes from the file's bytes.

    Bytes that make no sense lead to any error. Other reasons are a missing device,
    no right to read, and, in a trusted file, a class that cannot be imported.
    """
    if isinstance(error, (PermissionError, MemoryError)):
        return False
    if isinstance(error, (EOFError, OSError, UnpicklingError)):
        return True
    if trust:
        return _CUT_SHORT.search(str(error)) is not None
    odd = (RecursionError, NotImplementedError)
    return isinstance(error, odd) or not isinstance(error, RuntimeError)


def _describe_damage(path: str, file: Any, error: Exception) -> str:
    """What is wrong with a file that cannot be read, and what to do."""
    if not os.path.isfile(path):
        size = f'{len(file.getbuffer())} bytes' if hasattr(file, 'getbuffer') else '?'
        advice = 'Fetch or save it again.'
    elif Path(path).parent == Path(torch.hub.get_dir()) / 'checkpoints':
        size = f'{os.path.getsize(path)} bytes'
        advice = 'Delete it, and it is downloaded again.'
    else:
        size = f'{os.path.getsize(path)} bytes'
        advice = resume_advice(Path(path).parent, without=path)
    reason = 'it ends too early or makes no sense'
    if isinstance(error, (UnpicklingError, BadZipFile)) and str(error):
        reason = str(error).partition('\n')[0].rstrip('. ')
    return f'{path} ({size}) is cut short, damaged or no checkpoint: {reason}. {advice}'


def _check_content(path: str, checkpoint: Any) -> None:
    """Raise if what was read is no checkpoint of mmengine and no bare state dict."""
    expected = "expected a dict with 'state_dict', as mmengine saves it, or of tensors"
    if not isinstance(checkpoint, dict) or not checkpoint:
        kind = 'nothing' if checkpoint == {} else f'a {type(checkpoint).__name__}'
        raise ForeignCheckpointError(f'{path} holds {kind}; {expected}')
    for key in ('meta', 'state_dict'):
        part = checkpoint.get(key, {})
        if not isinstance(part, dict):
            kind = type(part).__name__
            raise ForeignCheckpointError(f'{path} has a {kind} as {key!r}; {expected}')
    state = checkpoint.get('state_dict', checkpoint)
    odd = [name for name in state if not isinstance(name, str)]
    if odd:
        kind = type(odd[0]).__name__
        raise ForeignCheckpointError(
            f'{path} names a tensor by a value of type {kind}; {expected}'
        )


def _download(url: str, dst: str, *args: Any, **options: Any) -> None:
    """``torch.hub.download_url_to_file``, with what to do without a network."""
    try:
        _download_url(url, dst, *args, **options)
    except (OSError, HTTPException) as error:
        raise ConnectionError(
            f'cannot download {url}: {error}. Fetch the file on another machine and '
            f'put it at {dst}, or train from scratch with --no-pretrained'
        ) from error


@contextmanager
def _explained(filename: str) -> Iterator[None]:
    """Say what is missing when a checkpoint cannot even be looked up."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None:  # a loader of ours has said it
            raise
        raise ModuleNotFoundError(
            f'{filename} is looked up with the package {error.name}, which is not '
            f'installed: install it, name a file by init_cfg.checkpoint=PATH, or '
            'train from scratch with --no-pretrained',
            name=error.name,
        ) from error
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'no checkpoint at {os.path.abspath(os.path.expanduser(filename))}, which '
            'load_from, --resume or an init_cfg of type Pretrained asks for. Train or '
            'fetch it, name another, or train from scratch with --no-pretrained'
        ) from error
