"""The values that a pickle from a stranger may build, each from plain arguments.

Every function checks its arguments and takes no more memory than they have. None
returns a function, a class or a module.
"""

from __future__ import annotations

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Mapping
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.structures import InstanceData
from torch.storage import TypedStorage

LOG_BUFFER = 'mmengine.logging.history_buffer.HistoryBuffer'
ARRAY = 'numpy.ndarray'
_STATISTICS = ('min', 'max', 'current', 'mean')
# Numbers, times and text; no objects, whose bytes would be taken for pointers, and
# no fields.
_DTYPE = re.compile(r'[<>|=]?(?:[?bBhHiIlLqQefdgmM]|[biuf](?:1|2|4|8)|[mM]8|[SU]\d+)')
_TIME_UNITS = {'Y', 'M', 'W', 'D', 'h', 'm', 's', 'ms', 'us', 'ns', 'ps', 'fs', 'as'}
_DEVICE = re.compile(r'[a-z]{2,20}(:\d{1,4})?')


class UnsafePickleError(UnpicklingError):
    """A pickle that asks for more than tensors and plain containers.

    Attributes:
        request: What it asks for.
    """

    def __init__(self, request: str) -> None:
        super().__init__(f'asks for {request}')
        self.request = request


class Name(str):
    """A name that a pickle has used; it says what it means and can do nothing."""

    __slots__ = ()


def restricted_getattr(owner: Any, name: Any) -> str:
    """Stand in for ``getattr`` in a pickle: the statistics of a log buffer.

    A pickled ``HistoryBuffer`` refers to its methods by ``getattr``. The real one
    would reach any function of the interpreter.

    Returns:
        A string; a buffer has its methods from its class.

    Raises:
        UnsafePickleError: If anything else is asked for.
    """
    if type(owner) is Name and owner == LOG_BUFFER and name in _STATISTICS:
        return f'HistoryBuffer.{name}'
    text = name if type(name) is str else type(name).__name__
    raise UnsafePickleError(f'getattr of {text}')


def expect(fits: bool, message: str) -> None:
    """Raise unless arguments are what they should be."""
    if not fits:
        raise UnpicklingError(message)


def build_ordered_dict(items: Any = ()) -> OrderedDict:
    """From pairs, or empty."""
    expect(type(items) in (list, tuple, dict), 'an OrderedDict of no pairs')
    return OrderedDict(items)


def build_counter(counts: Any) -> Counter:
    """From a dict; the milestones of a schedule."""
    expect(type(counts) is dict, 'a Counter of no dict')
    return Counter(counts)


def build_set(items: Any = ()) -> set:
    """From a list."""
    expect(type(items) in (list, tuple), 'a set of no list')
    return set(items)


def build_bytearray(content: Any = b'', encoding: Any = 'latin-1') -> bytearray:
    """From bytes or their text."""
    # A number would be a length, which costs memory that the file does not have.
    return bytearray(
        content if type(content) is bytes else build_bytes(content, encoding)
    )


def build_bytes(text: Any, encoding: Any) -> bytes:
    """``codecs.encode`` as pickle uses it for bytes; others would import modules."""
    expect(type(text) is str, 'bytes of no text')
    expect(encoding in ('latin1', 'latin-1'), 'bytes in another encoding')
    return text.encode('latin-1')


def build_no_bytes() -> bytes:
    """Bytes of which there are none; pickle writes others by :func:`build_bytes`."""
    return b''


def build_complex(real: Any, imaginary: Any) -> complex:
    """From two numbers."""
    expect({type(real), type(imaginary)} <= {int, float}, 'a complex of no numbers')
    return complex(real, imaginary)


def build_slice(*bounds: Any) -> slice:
    """From integers."""
    expect({type(bound) for bound in bounds} <= {int, type(None)}, 'a slice')
    return slice(*bounds)


def build_log_buffer() -> HistoryBuffer:
    """An empty one, which the state then fills."""
    return HistoryBuffer.__new__(HistoryBuffer)


def build_instances() -> InstanceData:
    """Empty ones, as proposals are saved; the state then fills them."""
    return InstanceData()


def build_size(lengths: Any) -> torch.Size:
    """From integers."""
    expect({type(length) for length in lengths} <= {int}, 'a size of no integers')
    return torch.Size(lengths)


def build_device(kind: Any, index: Any = None) -> torch.device:
    """By name."""
    expect(
        _DEVICE.fullmatch(kind) is not None and type(index) in (int, type(None)),
        'a device of no name',
    )
    return torch.device(kind) if index is None else torch.device(kind, index)


def build_tensor(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    _hooks: Any = None,
    metadata: Any = None,
) -> torch.Tensor:
    """A tensor in its storage, which torch would enlarge to what is asked for."""
    expect(type(storage) is TypedStorage, 'a tensor without storage')
    numbers = (offset, *size, *stride)
    expect(
        len(size) == len(stride) and all(type(n) is int and n >= 0 for n in numbers),
        'a tensor of no size',
    )
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    room = storage._untyped_storage.nbytes() // storage.dtype.itemsize
    expect(0 in size or last < room, 'a tensor is larger than its storage')
    metadata = metadata or None
    expect(metadata is None or set(metadata) <= {'conj', 'neg'}, 'bits of a tensor')
    return torch._utils._rebuild_tensor_v2(
        *(storage, offset, tuple(size), tuple(stride), requires_grad is True),
        *(OrderedDict(), metadata),
    )


def build_tensor_of_type(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> torch.Tensor:
    """As before, for types of numbers whose storage is untyped."""
    expect(type(storage) is TypedStorage, 'a tensor without storage')
    expect(type(dtype) is torch.dtype, 'a tensor of no type')
    untyped = storage._untyped_storage
    typed = TypedStorage(wrap_storage=untyped, dtype=dtype, _internal=True)
    return build_tensor(typed, offset, size, stride, requires_grad, hooks, metadata)


def build_parameter(data: Any, requires_grad: Any, *_: Any) -> torch.nn.Parameter:
    """A parameter, without hooks and attributes."""
    expect(type(data) is torch.Tensor, 'a parameter without tensor')
    return torch.nn.Parameter(data, requires_grad=requires_grad is True)


def _expect_bytes(shape: Any, itemsize: int, content: bytes) -> None:
    numbers = all(type(n) is int and n >= 0 for n in shape)
    expect(numbers and type(shape) is tuple, 'an array of no shape')
    expect(itemsize > 0, 'an array of nothing')
    fits = math.prod(shape) * itemsize == len(content)
    expect(fits, 'an array of another size than its bytes')


def build_array(subtype: Any, *_: Any) -> np.ndarray:
    """The empty array that the state then fills."""
    expect(type(subtype) is Name and subtype == ARRAY, 'an array of another class')
    return np.ndarray((0,), 'b')


def build_array_from(content: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    """An array as ``_frombuffer`` makes it, which pickles of protocol 5 use."""
    expect(isinstance(dtype, np.dtype) and order in ('C', 'F'), 'an array of no type')
    content = bytes(content)
    _expect_bytes(shape, dtype.itemsize, content)
    return np.ndarray(shape, dtype, content, order=order).copy(order)


def build_dtype(spec: Any, *_: Any) -> np.dtype:
    """A type of numbers, times or text; a copy, since its byte order is set later."""
    if type(spec) is not str or not _DTYPE.fullmatch(spec):
        text = spec if type(spec) is str else type(spec).__name__
        raise UnsafePickleError(f'numpy.dtype({text!r})')
    return np.dtype(spec, copy=True)


def build_scalar(dtype: Any, content: Any) -> np.generic:
    """A number of numpy from its bytes."""
    expect(isinstance(dtype, np.dtype) and type(content) is bytes, 'a number')
    expect(len(content) == dtype.itemsize, 'a number of another size')
    return np.ndarray((), dtype, content)[()] if content else dtype.type()


def fill_ordered_dict(value: OrderedDict, state: Any) -> None:
    """Versions of modules, which a ``state_dict`` has; other attributes are none."""
    metadata = state.get('_metadata') if type(state) is dict else None
    if isinstance(metadata, dict):
        value._metadata = metadata


def fill_log_buffer(buffer: HistoryBuffer, state: Mapping[str, Any]) -> None:
    """What was logged. Methods are not a file's to choose."""
    history, counts = state['_log_history'], state['_count_history']
    arrays = type(history) is type(counts) is np.ndarray
    if not arrays or not {history.dtype.kind, counts.dtype.kind} <= set('biuf'):
        raise UnsafePickleError('a log buffer of more than numbers')
    expect(
        history.ndim == 1
        and history.shape == counts.shape
        and type(state['max_length']) is int,
        'a log buffer of other numbers than counts',
    )
    buffer.max_length = state['max_length']
    buffer._log_history, buffer._count_history = history, counts
    buffer._set_default_statistics()


def fill_instances(instances: InstanceData, state: Any) -> None:
    """Boxes, scores and the like, under names that are not those of methods."""
    meta = state.get('_metainfo_fields', ())
    expect(type(meta) in (set, tuple) and not len(instances.keys()), 'filled instances')
    for name, value in state.items():
        if name in ('_metainfo_fields', '_data_fields'):
            continue
        expect(type(name) is str and not hasattr(InstanceData, name), 'a method')
        if name in meta:
            instances.set_metainfo({name: value})
        else:
            instances.set_field(value, name)


def fill_array(array: np.ndarray, state: Any) -> None:
    """Shape, type and bytes of an array that :func:`build_array` made."""
    version, shape, dtype, fortran, content = state
    expect(array.shape == (0,) and version == 1, 'an array that is filled already')
    expect(isinstance(dtype, np.dtype) and type(content) is bytes, 'an array of none')
    _expect_bytes(shape, dtype.itemsize, content)
    array.__setstate__((1, shape, dtype, fortran is True, content))


def fill_dtype(dtype: np.dtype, state: Any) -> None:
    """Byte order and unit of time; all else stays, or numpy would trust the file."""
    order = state[1]
    expect(order in tuple('<>|='), 'a type of numbers without byte order')
    if state[2:5] != (None, None, None):
        raise UnsafePickleError('numpy.dtype with fields or sub-arrays')
    same = np.dtype(dtype.str)
    if dtype.kind in 'mM' and len(state) == 9:
        unit, count = state[8][1][:2]
        unit = unit.decode() if type(unit) is bytes else unit
        expect(unit in _TIME_UNITS and type(count) is int, 'a time without unit')
        same = np.dtype(f'{dtype.kind}8[{count}{unit}]')
    safe = same.newbyteorder(order).__reduce__()[2]
    if state[5:8] != safe[5:8]:
        raise UnsafePickleError('numpy.dtype with another size or other flags')
    dtype.__setstate__(safe)
