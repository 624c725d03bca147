"""Reading pickles and the files of ``torch.save`` as data.

Such a file is a zip archive of a pickle and the bytes of each storage, or, as torch
before 1.6 and ``_use_new_zipfile_serialization=False`` write it, a row of pickles with
the bytes behind them. Both are read here and not by ``torch.load``, which takes a
storage to have the size that the pickle claims and does not look at check sums.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import zipfile
from collections.abc import Callable
from pickle import UnpicklingError
from typing import IO, Any

import torch
from torch.serialization import MAGIC_NUMBER, PROTOCOL_VERSION, _get_restore_location
from torch.storage import TypedStorage, UntypedStorage

from mmmix.apis.safe_loading.globals import REBUILD
from mmmix.apis.safe_loading.unpickler import BoundedFile, SafeUnpickler
from mmmix.apis.safe_loading.values import UnsafePickleError, expect

_torch_load = torch.load
_CHUNK = 1 << 20


def load_safely(file: Any, map_location: Any = None, *_: Any, **__: Any) -> Any:
    """Take the place of ``torch.load``: tensors and plain containers only.

    Args:
        file: A path, a buffer that can be read and seek, or bytes.
        map_location: As for ``torch.load``.
        _: The pickle module, which is not the caller's to choose here.
        __: Other options of ``torch.load``, which do not count.

    Raises:
        UnsafePickleError: If the file asks for anything that is not allowed.
        UnpicklingError: If it is damaged; other exceptions mean the same.
    """
    if isinstance(file, (str, os.PathLike)):
        if os.fspath(file).endswith('.safetensors'):
            return _torch_load(file, map_location=map_location, weights_only=True)
        with open(file, 'rb') as opened:
            return load_safely(opened, map_location)
    if isinstance(file, bytes):
        file = io.BytesIO(file)
    restore = _get_restore_location(map_location)
    start = file.tell()
    magic = file.read(4)
    file.seek(start)
    if magic == b'PK\x03\x04':
        return _load_zip(file, restore)
    return _load_legacy(file, restore)


def load_pickle(file: IO[bytes]) -> Any:
    """Take the place of ``pickle.load``: data, and no objects of other classes.

    Args:
        file: Open for reading bytes.

    Raises:
        UnsafePickleError: If the file asks for more than data.
    """
    content = io.BytesIO(file.read())
    return SafeUnpickler(BoundedFile(content)).load()


def _storage(content: Any) -> TypedStorage:
    """A storage inside a plain pickle: a whole file of ``torch.save``."""
    expect(type(content) is bytes, 'a storage of no bytes')
    storage = load_safely(content, 'cpu')
    expect(type(storage) is TypedStorage, 'a storage that is none')
    return storage


REBUILD['torch.storage._load_from_bytes'] = _storage


def load_trustingly(file: Any, map_location: Any = None, *_: Any, **__: Any) -> Any:
    """Take the place of ``torch.load``: whatever the file holds, code included."""
    return _torch_load(file, map_location=map_location, weights_only=False)


class ProgramError(ValueError):
    """A file that holds a program and no checkpoint."""


class _ArchiveUnpickler(SafeUnpickler):
    """Unpickles with storages from beside the pickle.

    Args:
        file: The pickle.
        room: Bytes of the whole file.
        make_storage: From a storage's key, location and size in bytes.
    """

    def __init__(
        self, file: BoundedFile, room: int, make_storage: Callable[..., UntypedStorage]
    ) -> None:
        super().__init__(file)
        self._room = room
        self._make_storage = make_storage
        self.storages: dict[str, UntypedStorage] = {}

    def persistent_load(self, pid: Any) -> TypedStorage:
        """The storage that a pickle refers to."""
        if type(pid) is not tuple or not pid or pid[0] != 'storage':
            raise UnsafePickleError('something beside the pickle that is no storage')
        dtype, key, location, numel, *view = pid[1:]
        if view not in ([], [None]) or type(dtype) is not torch.dtype:
            raise UnsafePickleError('a storage of another kind')
        if type(key) is not str or type(numel) is not int or numel < 0:
            raise UnpicklingError('a storage without key or size')
        nbytes = numel * dtype.itemsize
        if key not in self.storages:
            self.storages[key] = self._make_storage(key, location, nbytes, dtype)
        storage = self.storages[key]
        if nbytes > storage.nbytes():
            raise UnpicklingError(
                f'storage {key} has {storage.nbytes()} bytes, {nbytes} are claimed'
            )
        return TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def _load_zip(file: IO[bytes], restore: Callable) -> Any:
    """Read an archive. Its members are checked by their CRC as they are read."""
    room = BoundedFile(file).size
    with zipfile.ZipFile(file) as archive:
        prefix = _checked_prefix(archive, room)
        order = f'{prefix}byteorder'
        foreign = order in archive.namelist() and (
            archive.read(order).decode() != sys.byteorder
        )

        def make_storage(
            key: str, location: str, _nbytes: int, dtype: torch.dtype
        ) -> UntypedStorage:
            storage = _member(archive, f'{prefix}data/{key}')
            if foreign:
                storage.byteswap(dtype)
            return restore(storage, location)

        pickled = io.BytesIO(archive.read(f'{prefix}data.pkl'))
        return _ArchiveUnpickler(BoundedFile(pickled), room, make_storage).load()


def _checked_prefix(archive: zipfile.ZipFile, room: int) -> str:
    """The folder of an archive in which everything lies.

    Raises:
        ProgramError: If it holds a program of TorchScript.
        UnpicklingError: If it is none of ``torch.save``, or claims more than it has.
    """
    names = archive.namelist()
    if any(name.endswith('constants.pkl') for name in names):
        raise ProgramError('a program of TorchScript')
    pickles = [name for name in names if name.rpartition('/')[2] == 'data.pkl']
    if len(pickles) != 1:
        raise UnpicklingError('an archive that torch.save has not written')
    members = archive.infolist()
    if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
        raise UnpicklingError('an archive with packed or encrypted members')
    if sum(member.file_size for member in members) > room:
        raise UnpicklingError('members that are larger than the file')
    return pickles[0].removesuffix('data.pkl')


def _member(archive: zipfile.ZipFile, name: str) -> UntypedStorage:
    """The bytes of a member as a storage."""
    size = archive.getinfo(name).file_size
    storage = UntypedStorage(size)
    with archive.open(name) as member:
        _fill(storage, member.read, size)
        # The check sum is compared where the member ends.
        member.read(1)
    return storage


def _fill(storage: UntypedStorage, read: Callable[[int], bytes], size: int) -> None:
    """Read ``size`` bytes into a storage on the CPU."""
    content = memoryview(torch.empty(0, dtype=torch.uint8).set_(storage).numpy())
    done = 0
    while done < size:
        chunk = read(min(_CHUNK, size - done))
        if not chunk:
            raise EOFError('a storage ends too early')
        content[done : done + len(chunk)] = chunk
        done += len(chunk)


def _load_legacy(file: IO[bytes], restore: Callable) -> Any:
    """Read a row of pickles and the bytes behind them."""
    bounded = BoundedFile(file)
    for expected in (MAGIC_NUMBER, PROTOCOL_VERSION):
        if SafeUnpickler(bounded).load() != expected:
            raise UnpicklingError('a file that torch.save has not written')
    SafeUnpickler(bounded).load()
    room = bounded.size
    left = room
    counts: dict[str, int] = {}

    def make_storage(
        key: str, location: str, nbytes: int, dtype: torch.dtype
    ) -> UntypedStorage:
        nonlocal left
        left -= nbytes
        if left < 0:
            raise UnpicklingError('storages that are larger than the file')
        counts[key] = nbytes // dtype.itemsize
        return restore(UntypedStorage(nbytes), location)

    unpickler = _ArchiveUnpickler(bounded, room, make_storage)
    result = unpickler.load()
    for key in SafeUnpickler(bounded).load():
        storage = unpickler.storages[key]
        if struct.unpack('<q', bounded.read(8)) != (counts[key],):
            raise UnpicklingError(f'storage {key} has another size than is claimed')
        content = UntypedStorage(storage.nbytes())
        _fill(content, bounded.read, storage.nbytes())
        storage.copy_(content)
    return result
