"""The check that a usable MMDetection stack is installed.

Two stacks provide the modules mmengine, mmcv and mmdet: the maintained fork
(onedl-mmengine, onedl-mmcv, onedl-mmdetection) and the classic one (mmengine, mmcv,
mmdet). Neither can be a hard requirement of mmmix, because pip cannot express "one of
the two", so the check is made at import.
"""

import importlib
from types import ModuleType
from typing import NamedTuple

from packaging.version import Version


class Requirement(NamedTuple):
    """The versions of one module that mmmix works with: ``lowest <= v < bound``."""

    module: str
    lowest: str
    bound: str

    def accepts(self, version: str) -> bool:
        """Returns whether a version lies in the range."""
        return Version(self.lowest) <= Version(version) < Version(self.bound)


REQUIREMENTS = (
    Requirement('mmengine', '0.10.0', '1.0.0'),
    Requirement('mmcv', '2.0.0', '3.0.0'),
    Requirement('mmdet', '3.0.0', '4.0.0'),
)

INSTALL_HELP = """
mmmix needs torch and one of two stacks of the same module names:

  the maintained fork          onedl-mmengine, onedl-mmcv, onedl-mmdetection
  the classic stack            mmengine, mmcv>=2.0,<2.2, mmdet>=3.0,<4

Install torch first, then mmcv with its ops. For torch 2.8 to 2.12 there are wheels of
onedl-mmcv, listed for instance (CPU, torch 2.9; cu128-torch290 for CUDA 12.8) by

  pip install onedl-mmcv -f https://mmwheels.onedl.ai/cpu-torch290/simple/onedl-mmcv/index.html
  pip install 'mmmix[onedl]'

For other versions of torch it is compiled, in some minutes:

  pip install 'setuptools>=80,<81' wheel packaging ninja psutil
  MMCV_WITH_OPS=1 pip install --no-build-isolation onedl-mmcv   (or 'mmcv<2.2')
  pip install 'mmmix[onedl]'                                    (or 'mmmix[openmmlab]')

In a checkout of mmmix, `make env` does all of this."""


def check_stack() -> None:
    """Checks that mmengine, mmcv with its ops, and mmdet can be used.

    Raises:
        ImportError: If a module is missing, cannot be imported, has a version outside
            of the supported range, or if mmcv was built without its ops. The message
            says what was found and how to install either stack.
    """
    _import('torch')
    for requirement in REQUIREMENTS:
        module = _import(requirement.module)
        version = getattr(module, '__version__', None)
        if version is None or not requirement.accepts(version):
            raise ImportError(
                f'mmmix needs {requirement.module} >= {requirement.lowest}, '
                f'< {requirement.bound}, but found {version or "no version"} in '
                f'{_place(module)}.\n{INSTALL_HELP}'
            )
        if requirement.module == 'mmcv':
            _check_ops(module)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            message = f'mmmix needs {name}, which is not installed.'
        else:
            message = f'{name} is installed, but lacks what it needs itself: {error}.'
        raise ImportError(f'{message}\n{INSTALL_HELP}') from error
    # The classic mmdet asserts the versions of mmengine and mmcv at import.
    except (ImportError, AssertionError) as error:
        raise ImportError(
            f'{name} is installed but cannot be imported: {error}\n{INSTALL_HELP}'
        ) from error


def _check_ops(mmcv: ModuleType) -> None:
    try:
        importlib.import_module('mmcv.ops')
    except ImportError as error:
        raise ImportError(
            f'mmcv {mmcv.__version__} in {_place(mmcv)} has no usable ops ({error}). '
            'It was built without them (pip does so in an isolated build), or for '
            'another torch. Reinstall it as below, with `--no-cache-dir '
            f'--force-reinstall --no-deps`.\n{INSTALL_HELP}'
        ) from error


def _place(module: ModuleType) -> str:
    # A folder without __init__.py, such as a clone in the working directory, has no
    # file, and its path is not subscriptable.
    return module.__file__ or str(list(module.__path__))
