"""Reading a checkpoint file without running what it may carry.

A pickle can name any function and have it called. ``torch.load`` with
``weights_only=True`` refuses every name but tensors, plain containers and an
allow-list. This module is that list: what a checkpoint of mmengine holds beyond
tensors (``HistoryBuffer`` and numeric arrays), each name bound to something that
does no more than rebuild the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.utils import digit_version

_torch_load = torch.load
_MULTIARRAY = getattr(np, '_core', None) or np.core
_STATISTICS = ('min', 'max', 'current', 'mean')
_NUMERIC = '?' + np.typecodes['AllInteger'] + np.typecodes['AllFloat'] + 'SUMm'


def restricted_getattr(owner: Any, name: Any) -> Callable:
    """Stand in for ``getattr`` in a pickle: the statistics of a log buffer.

    A pickled ``HistoryBuffer`` refers to its methods by ``getattr``. The real
    one would reach any function of the interpreter, so it is never allowed.

    Raises:
        UnpicklingError: If anything else is asked for.
    """
    if owner is HistoryBuffer and name in _STATISTICS:
        return getattr(HistoryBuffer, name)
    raise UnpicklingError(f'GLOBAL getattr({owner!r}, {name!r})')


def _array_type(*args: Any) -> None:
    """Stand in for ``numpy.ndarray``: named in a pickle, but never called.

    Called with a buffer it would take the buffer's bytes for pointers.
    """
    raise UnpicklingError('GLOBAL numpy.ndarray (called, not only named)')


def _reconstruct(subtype: Any, shape: Any, typecode: Any) -> np.ndarray:
    """Stand in for numpy's own: the empty array that the state then fills."""
    if subtype is not _array_type:
        raise UnpicklingError(f'GLOBAL numpy _reconstruct of {subtype!r}')
    return np.ndarray((0,), 'b')


def _dtype(spec: Any, align: bool = False, copy: bool = True) -> np.dtype:
    """Stand in for ``numpy.dtype``: numbers, times and text, no objects.

    Always a copy, since the pickle then sets its byte order.
    """
    dtype = np.dtype(spec, copy=True)
    if dtype.char not in _NUMERIC:
        raise UnpicklingError(f'GLOBAL numpy.dtype({spec!r})')
    return dtype


def _allow_list() -> Iterator[tuple[Callable, str]]:
    """Pairs of an object and the name by which a pickle may ask for it."""
    yield HistoryBuffer, 'mmengine.logging.history_buffer.HistoryBuffer'
    yield restricted_getattr, 'builtins.getattr'
    yield _array_type, 'numpy.ndarray'
    yield _dtype, 'numpy.dtype'
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        yield _reconstruct, f'{module}._reconstruct'
        yield _MULTIARRAY.multiarray.scalar, f'{module}.scalar'
    # The state of an array or a dtype is set only if its type is listed; without
    # a dot no pickle can ask for these by name.
    for number, kind in enumerate({type(np.dtype(code)) for code in _NUMERIC}):
        yield kind, f'dtype{number}'
    yield np.ndarray, 'ndarray'


def load_safely(file: Any, map_location: Any = None, *_: Any, **options: Any) -> Any:
    """Take the place of ``torch.load``: tensors and plain containers only.

    The allow-list replaces whatever else was registered with torch, since the
    fork of mmengine registers the real ``getattr`` around its loads.

    Args:
        file: A path or a readable buffer.
        map_location: As for ``torch.load``.
        _: The pickle module, which is not the caller's to choose here.
        options: Of these only ``mmap`` counts; ``weights_only`` stays True.

    Raises:
        RuntimeError: If torch is too old to load safely.
        UnpicklingError: If the file asks for anything that is not allowed.
    """
    if digit_version(torch.__version__) < digit_version('2.6.0'):
        raise RuntimeError(
            f'loading {file} safely needs torch >= 2.6, this is {torch.__version__}: '
            'upgrade, or if you trust where the file comes from, --trust-checkpoint'
        )
    known = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(list(_allow_list()))
    try:
        return _torch_load(
            file,
            map_location=map_location,
            weights_only=True,
            mmap=options.get('mmap'),
        )
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(known)


def load_trustingly(file: Any, map_location: Any = None, *_: Any, **__: Any) -> Any:
    """Take the place of ``torch.load``: whatever the file holds, code included."""
    return _torch_load(file, map_location=map_location, weights_only=False)
