"""An unpickler that builds data and calls nothing.

It is Python's own, in Python, without what reaches beyond data: names become inert
strings, calls and states go through :mod:`mmmix.apis.safe_loading.globals`, and items
are added to plain containers only. It reads no more than there is, whatever length is
claimed.
"""

from __future__ import annotations

import os
import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import IO, Any, ClassVar

from torch import Tensor

from mmmix.apis.safe_loading.globals import rebuild, resolve, set_state
from mmmix.apis.safe_loading.values import UnsafePickleError

# Codes that make objects by other ways than a name and its arguments, or that take
# what they need from outside the file.
_DROPPED = (
    *(pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX, pickle.PERSID),
    *(pickle.EXT1, pickle.EXT2, pickle.EXT4),
    *(pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
)


class BoundedFile:
    """A file that is asked for no more bytes than it has left.

    Python sets memory aside for as many bytes as are asked for.

    Args:
        file: A file that is open for reading bytes, and can seek.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        here = file.tell()
        self.size = file.seek(0, os.SEEK_END)
        file.seek(here)
        self.readline = file.readline

    def read(self, count: int) -> bytes:
        """Read ``count`` bytes, or those that are left."""
        return self._file.read(max(0, min(count, self.size - self._file.tell())))


class SafeUnpickler(pickle._Unpickler):
    """Builds tensors, arrays, log buffers, plain values and containers.

    Args:
        file: The pickle.

    Raises:
        UnsafePickleError: On :meth:`load`, if the file asks for more.
        UnpicklingError: If it makes no sense. Bytes that are no pickle at all raise
            all kinds of exceptions.
    """

    dispatch: ClassVar[dict[int, Callable]] = {
        code: function
        for code, function in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in _DROPPED
    }

    def __init__(self, file: BoundedFile) -> None:
        super().__init__(file, encoding='utf-8')
        self._room = file.size

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name."""
        return resolve(f'{module}.{name}')

    def load_reduce(self) -> None:
        """A call."""
        arguments = self.stack.pop()
        self.stack[-1] = self._bounded(rebuild(self.stack[-1], arguments))

    def load_build(self) -> None:
        """The state of a value."""
        state = self.stack.pop()
        set_state(self.stack[-1], state)

    def load_append(self) -> None:
        """One item of a list."""
        item = self.stack.pop()
        self._container(list).append(item)

    def load_appends(self) -> None:
        """Items of a list."""
        items = self.pop_mark()
        self._container(list).extend(items)

    def load_additems(self) -> None:
        """Items of a set."""
        items = self.pop_mark()
        self._container(set).update(items)

    def load_setitem(self) -> None:
        """One item of a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._container(dict, OrderedDict, Counter)[key] = value

    def load_setitems(self) -> None:
        """Items of a dict."""
        items = self.pop_mark()
        container = self._container(dict, OrderedDict, Counter)
        for index in range(0, len(items), 2):
            container[items[index]] = items[index + 1]

    def load_bytearray8(self) -> None:
        """Bytes that can be changed; the length is only a claim."""
        length = int.from_bytes(self.read(8), 'little')
        self.append(bytearray(self.read(length)))

    def _container(self, *kinds: type) -> Any:
        """The container on top of the stack."""
        if type(self.stack[-1]) not in kinds:
            kind = type(self.stack[-1]).__name__
            raise UnsafePickleError(f'items of an object of {kind}')
        return self.stack[-1]

    def _bounded(self, value: Any) -> Any:
        """A tensor that repeats one element may claim any size."""
        if isinstance(value, Tensor) and value.nbytes > self._room:
            raise pickle.UnpicklingError(
                f'a tensor of {value.nbytes} bytes in a file of {self._room}'
            )
        return value

    dispatch |= {
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.ADDITEMS[0]: load_additems,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.BYTEARRAY8[0]: load_bytearray8,
    }
