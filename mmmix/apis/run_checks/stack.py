"""Whether torch, mmcv and mmdet are there and work, and of classifiers mmpretrain."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import import_module

from mmmix.apis.stack import REQUIREMENTS, check_stack

from .finding import FAULT, OK, WARNING, Finding


def check_versions() -> Iterator[Finding]:
    """Import the stack; works where nothing is installed."""
    try:
        check_stack()
    except ImportError as error:
        yield Finding(FAULT, 'stack', str(error))
        return
    names = ('torch', *(requirement.module for requirement in REQUIREMENTS))
    versions = ', '.join(f'{name} {import_module(name).__version__}' for name in names)
    yield Finding(OK, 'stack', f'Python {platform.python_version()}, {versions}')
    yield from check_ops()


def check_mmpretrain() -> Iterator[Finding]:
    """Import what classifiers are built on."""
    try:
        import_module('mmmix.classification')
    except ImportError as error:
        yield Finding(FAULT, 'stack', str(error))
        return
    version = import_module('mmpretrain').__version__
    yield Finding(OK, 'stack', f'mmpretrain {version}')


def check_ops() -> Iterator[Finding]:
    """Run an op of mmcv on each device that torch sees."""
    import torch

    from mmmix.apis.launching.devices import leave_device_without_ops, run_an_op

    leave_device_without_ops()
    devices = ['cpu'] + ['cuda'] * torch.cuda.is_available()
    for device in devices:
        try:
            run_an_op(device)
        except (RuntimeError, NotImplementedError) as error:
            yield Finding(
                FAULT,
                'ops of mmcv',
                f'nms does not run on {device}: {str(error).splitlines()[0]}',
                'compile mmcv against this torch, with CUDA where a GPU is: '
                'MMCV_WITH_OPS=1 FORCE_CUDA=1 pip install --no-cache-dir '
                '--force-reinstall --no-deps --no-build-isolation onedl-mmcv',
            )
        else:
            yield Finding(OK, 'ops of mmcv', f'run on {device}')
    if 'cuda' not in devices:
        yield Finding(
            WARNING,
            'device',
            f'no GPU: torch {torch.__version__} sees none',
            'on a CPU train on small images (--detector yolov3-160-lite0 or '
            '--size of mmmix init); with a GPU, install the torch of its CUDA',
        )
