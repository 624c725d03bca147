"""Pickles and YAML that data sets and configs name, read as data.

mmengine reads annotation files, proposals and YAML configs by the ending of their
names, with ``pickle.load`` and with a loader of YAML that builds any Python object.
"""

from __future__ import annotations

from typing import IO, Any

import yaml
from mmengine.fileio.handlers.pickle_handler import PickleHandler
from mmengine.fileio.handlers.yaml_handler import YamlHandler
from mmengine.fileio.io import file_handlers

from mmmix.apis.safe_loading.archive import load_pickle
from mmmix.apis.safe_loading.values import UnsafePickleError


class UnsafeFileError(ValueError):
    """A file of data that holds more than data."""


class SafePickleHandler(PickleHandler):
    """Pickles of plain values, containers, arrays, tensors and ``InstanceData``."""

    def load_from_fileobj(self, file: IO[bytes], **_: Any) -> Any:
        """Read a pickle.

        Raises:
            UnsafeFileError: If it asks for more than data, or is damaged.
        """
        name = getattr(file, 'name', 'an annotation or proposal file (.pkl)')
        try:
            return load_pickle(file)
        except UnsafePickleError as error:
            raise UnsafeFileError(
                f'{name} was not loaded: it asks for {error.request}, which could run '
                'any code. Expected plain values, lists, dicts, arrays and tensors. If '
                'you know where the file comes from and trust it, add '
                '--trust-checkpoint where the command has it, or convert it to .json'
            ) from error
        except (MemoryError, OSError):
            raise
        except Exception as error:
            # Bytes that are no pickle lead to any error.
            raise UnsafeFileError(
                f'{name} is cut short, damaged or no pickle: {error}'
            ) from error


# To find a config of mmdet, mmengine reads a hundred files: a second of every start
# in Python, a sixth of it in C.
_Loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


class _SafeLoader(_Loader):
    """YAML's safe loader, and tuples, which mmengine writes."""


_SafeLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple',
    lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
)


class SafeYamlHandler(YamlHandler):
    """YAML of plain values."""

    def load_from_fileobj(self, file: Any, **_: Any) -> Any:
        """Read YAML.

        Raises:
            UnsafeFileError: If it asks for a Python object, or is malformed.
        """
        try:
            return yaml.load(file, Loader=_SafeLoader)
        except yaml.YAMLError as error:
            text = ' '.join(str(error).split())
            raise UnsafeFileError(
                f'a YAML file was not loaded: {text}. Expected plain values'
            ) from error


_SAFE = {
    **dict.fromkeys(('pickle', 'pkl'), SafePickleHandler()),
    **dict.fromkeys(('yaml', 'yml'), SafeYamlHandler()),
}
_STOCK = {ending: file_handlers[ending] for ending in _SAFE}


def install_safe_files(trust: bool = False) -> None:
    """Make ``mmengine.load`` read pickles and YAML as data in this process.

    Args:
        trust: Read them as mmengine does, code included.
    """
    file_handlers.update(_STOCK if trust else _SAFE)
