"""Pickles at random, out of everything that the loader lets a file name."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from mmmix.apis.safe_loading.globals import _CONSTANTS, _NAMED_ONLY, REBUILD

NAMES = sorted({*REBUILD, *_CONSTANTS, *_NAMED_ONLY})
# What an attack would set or reach for, and words that the loader looks at.
WORDS = (
    *('mean', 'min', 'current', 'to', '__class__', '__dict__', '__init__', '__repr__'),
    *('_log_history', '_count_history', 'max_length', 'statistics_methods'),
    *('_statistics_methods', '_metadata', 'as_subclass', '__setstate__', 'storage'),
    *('0', 'cpu', 'meta', 'latin1', 'zlib', 'C', '<', '|', 'f8', 'O', 'V8', 'M8', 'U3'),
    *('i4,O', 'conj', 'ns', ''),
)
NUMBERS = (0, 1, 2, 3, 8, -1, 63, 255, 1 << 20, 1 << 40, (1 << 62) + 1)


class Author:
    """Writes one pickle.

    Args:
        seed: The same seed gives the same pickle.
    """

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.noted = 0

    def pickle(self) -> bytes:
        """A dict of some values."""
        items = b''.join(
            self.text(f'key{index}') + self.value(4)
            for index in range(self.draw.randint(1, 4))
        )
        return b'\x80\x02}(' + items + b'u.'

    def value(self, depth: int) -> bytes:
        """Any value, of others if ``depth`` is left."""
        simple = [self.word, self.number, self.content, self.name, self.constant]
        nested = [self.call, self.call, self.genuine, self.stated, self.container]
        kinds: list[Callable] = simple if depth == 0 else [*simple, *nested, *nested]
        made = self.draw.choice(kinds)(depth - 1)
        if self.draw.random() < 0.2 and self.noted < 200:
            self.noted += 1
            return made + b'q' + bytes([self.noted])
        if self.noted and self.draw.random() < 0.15:
            return b'h' + bytes([self.draw.randint(1, self.noted)])
        return made

    def text(self, text: str) -> bytes:
        """A string."""
        raw = text.encode()
        return b'X' + struct.pack('<I', len(raw)) + raw

    def word(self, depth: int) -> bytes:
        return self.text(self.draw.choice(WORDS))

    def number(self, depth: int) -> bytes:
        return b'\x8a\x09' + self.draw.choice(NUMBERS).to_bytes(
            9, 'little', signed=True
        )

    def content(self, depth: int) -> bytes:
        raw = self.draw.randbytes(self.draw.choice((0, 4, 8, 16)))
        return b'C' + bytes([len(raw)]) + raw

    def constant(self, depth: int) -> bytes:
        return self.draw.choice((b'N', b'\x88', b'\x89', b'G' + struct.pack('>d', 0.5)))

    def name(self, depth: int) -> bytes:
        module, _, name = self.draw.choice(NAMES).rpartition('.')
        return f'c{module}\n{name}\n'.encode()

    def tuple(self, depth: int) -> bytes:
        parts = (self.value(depth) for _ in range(self.draw.randint(0, 4)))
        return b'(' + b''.join(parts) + b't'

    def call(self, depth: int) -> bytes:
        """A call of a name, or of any other value."""
        called = self.name(depth) if self.draw.random() < 0.9 else self.value(depth)
        return called + self.tuple(depth) + self.draw.choice((b'R', b'\x81'))

    def stated(self, depth: int) -> bytes:
        """A value with a state, which for most is not allowed."""
        pairs = b''.join(
            self.word(depth) + self.value(depth) for _ in range(self.draw.randint(0, 3))
        )
        state = self.draw.choice((b'}(' + pairs + b'u', self.tuple(depth)))
        two = self.draw.random() < 0.3
        start = self.draw.choice((self.genuine, self.call, self.name))(depth)
        return start + (b'N' + state + b'\x86' if two else state) + b'b'

    def container(self, depth: int) -> bytes:
        """Items in a container, or in what is none."""
        start, end = self.draw.choice(((b']', b'e'), (b'}', b'u'), (b'\x8f', b'\x90')))
        if self.draw.random() < 0.2:
            start = self.value(depth)
        items = (self.value(depth) for _ in range(2 * self.draw.randint(0, 2)))
        return start + b'(' + b''.join(items) + end

    def genuine(self, depth: int) -> bytes:
        """The beginning of something that a checkpoint holds."""
        core = self.draw.choice(('numpy.core', 'numpy._core'))
        spec = self.text(self.draw.choice(('f8', 'i4', 'U3', 'M8', 'b1', 'O')))
        dtype = b'cnumpy\ndtype\n(' + spec + b'\x89\x88tR'
        buffer = b'cmmengine.logging.history_buffer\nHistoryBuffer\n)\x81'
        storage = b'(' + self.text('storage') + b'ctorch\nFloatStorage\n'
        storage += self.text('0') + self.text('cpu')
        storage += self.draw.choice((b'K\x02', self.number(depth))) + b'tQ'
        size = b'(' + self.number(depth) + b't'
        tensor = b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage + b'K\x00' + size
        tensor += size + b'\x89ccollections\nOrderedDict\n)RtR'
        array = f'c{core}.multiarray\n_reconstruct\n(cnumpy\nndarray\n'.encode()
        array += b'K\x00\x85C\x01btR'
        raw = self.draw.choice((b'C\x08' + bytes(8), self.content(depth)))
        filled = array + b'(K\x01' + self.draw.choice((b'K\x01\x85', size)) + dtype
        filled += b'\x89' + raw + b'tb'
        method = b'cbuiltins\ngetattr\ncmmengine.logging.history_buffer\n'
        method += b'HistoryBuffer\n' + self.word(depth) + b'\x86R'
        return self.draw.choice((dtype, buffer, storage, tensor, array, filled, method))
