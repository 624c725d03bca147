"""mmcv as a prebuilt wheel, from where both stacks publish them, or compiled."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

BASES = {
    'onedl': 'https://mmwheels.onedl.ai',
    'openmmlab': 'https://download.openmmlab.com/mmcv/dist',
}
"""Servers of wheels; the variable ``MMCV_BASE_URL`` names another, as for ``mim``."""


def wheel_index(stack: str, torch_version: str, cuda: str | None) -> str:
    """The page that lists the wheels for a torch.

    Args:
        stack: ``'onedl'`` or ``'openmmlab'``.
        torch_version: As ``torch.__version__`` has it, such as ``'2.9.1+cu128'``.
        cuda: As ``torch.version.cuda`` has it, such as ``'12.8'``; None on a CPU.
    """
    base = (os.environ.get('MMCV_BASE_URL') or BASES[stack]).rstrip('/')
    device = f'cu{cuda.replace(".", "")}' if cuda else 'cpu'
    major, minor = torch_version.split('.')[:2]
    # Wheels are built for the first release of each minor version of torch.
    if stack == 'onedl':
        return f'{base}/{device}-torch{major}{minor}0/simple/onedl-mmcv/index.html'
    return f'{base}/{device}/torch{major}.{minor}.0/index.html'


def wheel_arguments(index: str, pin: str) -> list[str]:
    """Arguments of ``pip install`` for a wheel of this index, and for nothing else."""
    patience = ['--timeout', '10', '--retries', '0']
    only = ['--no-deps', '--no-index', '--only-binary', ':all:', '--find-links', index]
    return [*patience, *only, pin]


def compile_mmcv(python: Path, log_file: Path, pin: str, *pip_options: str) -> bool:
    """Installs mmcv from source, showing how far it is; returns whether pip succeeded.

    pip keeps the wheel, so that a second environment takes seconds.
    """
    jobs = os.environ.get('MAX_JOBS') or str(os.cpu_count() or 1)
    command = [python, '-m', 'pip', 'install', '-v', '--no-deps', *pip_options]
    command += ['--no-build-isolation', pin]
    print(
        f'{pin} with its ops: compiled, {jobs} files at a time, in 7 to 20 minutes on '
        f'two cores,\n  unless pip has the wheel from before (log: {log_file})',
        flush=True,
    )
    options = {
        'cwd': log_file.parent,
        'env': {**os.environ, 'MMCV_WITH_OPS': '1', 'MAX_JOBS': jobs},
        'stdout': subprocess.PIPE,
        'stderr': subprocess.STDOUT,
        'text': True,
        'errors': 'replace',
    }
    start = time.monotonic()
    with open(log_file, 'w') as log:
        process = subprocess.Popen(command, **options)
        for line in process.stdout:
            log.write(line)
            step = re.match(r'\s*\[(\d+)/(\d+)\]', line)
            if step:
                spent = f'{(time.monotonic() - start) / 60:.1f} min'
                print(f'  compiled {step[1]} of {step[2]}, {spent}', flush=True)
    return process.wait() == 0
