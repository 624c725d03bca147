#!/usr/bin/env python3
"""Builds the environment of a checkout, once, from the pins in ``requirements/``.

Usually called by ``make env``. It needs a Python with ``venv``, a C++ compiler and a
package index, and is safe to interrupt: the next call goes on where this one stopped.
mmcv comes as a prebuilt wheel where there is one for the torch of the environment, else
it is compiled. Its ops are run as a check, on the CPU and, where torch sees one, on the
GPU.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mmcv_wheels import compile_mmcv, wheel_arguments, wheel_index

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / 'requirements'
ENV_DIRS = {'onedl': '.venv', 'openmmlab': '.venv-openmmlab'}
STAMP_INPUTS = (
    'setup.py',
    'mmmix/version.py',
    '.dev/build_env.py',
    '.dev/mmcv_wheels.py',
)

# Running an op, rather than importing it, also finds a build without CUDA kernels.
OPS_CHECK = """
import torch
from mmcv.ops import nms
for device in ['cpu'] + ['cuda'] * torch.cuda.is_available():
    boxes = torch.tensor([[0.0, 0.0, 8.0, 8.0]], device=device)
    nms(boxes, torch.ones(1, device=device), 0.5)
"""


class BuildError(Exception):
    """The environment cannot be built; the message says what to do."""


class Environment:
    """One virtual environment of the checkout and what was recorded about it.

    Args:
        stack: Key of ``ENV_DIRS``.
        torch: What ``--torch`` was given; empty for the pinned torch.
    """

    def __init__(self, stack: str, torch: str) -> None:
        self.stack = stack
        self.torch = torch
        self.path = ROOT / ENV_DIRS[stack]
        self.python = self.path / 'bin' / 'python'
        self.stamp_file = self.path / 'mmmix-env.json'
        self.mmcv_log = self.path / 'mmcv-build.log'

    def read_stamp(self) -> dict[str, str]:
        """Returns the recorded facts, empty if there are none to trust."""
        try:
            return json.loads(self.stamp_file.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return {}

    def record(self, **facts: str) -> None:
        """Adds facts to the stamp, in one step so that it is never half-written."""
        draft = self.stamp_file.with_suffix('.tmp')
        draft.write_text(json.dumps({**self.read_stamp(), **facts}), encoding='utf-8')
        draft.replace(self.stamp_file)

    def key(self) -> str:
        """Returns a digest of everything the environment is made from."""
        files = sorted(PINS.glob('*.txt')) + [ROOT / name for name in STAMP_INPUTS]
        digest = hashlib.sha256(f'{self.stack} {self.torch}'.encode())
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def ask(self, code: str) -> subprocess.CompletedProcess[str]:
        """Runs Python code in the environment, outside the checkout."""
        return subprocess.run(
            [self.python, '-c', code], cwd=self.path, capture_output=True, text=True
        )

    def pip(self, *arguments: str | Path, show: bool = False) -> None:
        """Runs ``pip install`` in the environment.

        Args:
            *arguments: What to install, and options.
            show: Show the output also if nothing fails.

        Raises:
            BuildError: If pip fails.
        """
        command = [self.python, '-m', 'pip', 'install', *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=not show, text=True)
        if done.returncode:
            output = '' if show else f'{done.stdout}{done.stderr}\n'
            line = ' '.join(map(str, command))
            raise BuildError(
                f'{output}this command failed:\n  {line}\n'
                'When the cause is removed, the same make command goes on from here.'
            )


def create(env: Environment) -> None:
    """Makes the virtual environment, or checks that the present one fits.

    Raises:
        BuildError: If it was made by another Python, or with another kind of torch.
    """
    system_torch = env.torch == 'system'
    if not env.python.exists() or env.ask('import pip').returncode:
        option = ['--system-site-packages'] if system_torch else []
        print(f'creating {env.path.name} with Python {sys.version.split()[0]}')
        command = [sys.executable, '-m', 'venv', '--clear', *option, env.path]
        if subprocess.run(command).returncode:
            raise BuildError(
                f'{sys.executable} has no working venv module. Install it (on Debian '
                "and Ubuntu: 'apt install python3-venv python3-dev') or choose "
                'another interpreter with PYTHON=.'
            )
    settings = configparser.ConfigParser()
    settings.read_string('[venv]\n' + (env.path / 'pyvenv.cfg').read_text())
    made_by = settings['venv']['version'].split('.')[:2]
    if made_by != list(map(str, sys.version_info[:2])):
        raise BuildError(
            f'{env.path.name} was made by Python {".".join(made_by)} and PYTHON is '
            f"{sys.version.split()[0]}. 'make clean-env' removes it."
        )
    if settings['venv'].getboolean('include-system-site-packages') != system_torch:
        raise BuildError(
            f'{env.path.name} was made {"without" if system_torch else "with"} '
            "TORCH=system. 'make clean-env' removes it."
        )


def install_torch(env: Environment) -> str:
    """Installs the chosen torch and returns its version.

    Raises:
        BuildError: If torch cannot be imported afterwards.
    """
    if not env.torch:
        env.pip('-r', PINS / 'torch.txt', show=True)
    elif env.torch != 'system':
        version = re.fullmatch(r'\d[\w.+]*', env.torch)
        env.pip(f'torch=={env.torch}' if version else env.torch, show=True)
    found = env.ask('import torch; print(torch.__version__)')
    if found.returncode:
        advice = (
            'TORCH=system reuses the torch of $(PYTHON), and a virtual environment '
            'hides its own packages from another one: give PYTHON= an interpreter '
            'outside of any, or TORCH= a version or a wheel.'
            if env.torch == 'system'
            else 'Choose another with TORCH= (a version, a requirement or a wheel).'
        )
        raise BuildError(f'torch cannot be imported.\n{found.stderr}\n{advice}')
    return found.stdout.strip()


def install_wheel(env: Environment, pin: str, torch_version: str) -> bool:
    """Installs a prebuilt wheel of mmcv; returns whether its ops run."""
    cuda = env.ask('import torch; print(torch.version.cuda or "")').stdout.strip()
    index = wheel_index(env.stack, torch_version, cuda)
    print(f'looking for a wheel of {pin} for torch {torch_version} in {index}')
    try:
        env.pip(*wheel_arguments(index, pin))
    except BuildError:
        print('  none there, or the server is out of reach: it is compiled')
        return False
    if env.ask(OPS_CHECK).returncode:
        print('  its ops do not run here: it is compiled')
        return False
    print('  installed; its ops run')
    return True


def install_mmcv(env: Environment, pin: str, torch_version: str) -> None:
    """Makes sure that mmcv is there with ops that run on the installed torch.

    A prebuilt wheel is tried first, then one from pip's cache, which may have been
    compiled against another torch; mmcv is compiled afresh if its ops do not run.

    Raises:
        BuildError: If the ops still do not run, with the end of the log.
    """
    if install_wheel(env, pin, torch_version):
        env.record(mmcv_torch=torch_version)
        return
    if not shutil.which(os.environ.get('CXX', 'c++')):
        raise BuildError(
            "mmcv is compiled here and there is no C++ compiler ('apt install g++')."
        )
    built_for = env.read_stamp().get('mmcv_torch', torch_version)
    afresh = ['--no-cache-dir', '--force-reinstall']
    problem = ''
    for options in [[], afresh] if built_for == torch_version else [afresh]:
        if not compile_mmcv(env.python, env.mmcv_log, pin, *options):
            lines = env.mmcv_log.read_text(encoding='utf-8').splitlines()
            problem = '\n'.join(lines[-25:])
            break
        check = env.ask(OPS_CHECK)
        problem = check.stderr
        if check.returncode == 0:
            env.record(mmcv_torch=torch_version)
            return
    raise BuildError(
        f'{problem}\n{pin} has no working ops for torch {torch_version}; the '
        f'whole log is {env.mmcv_log}. It needs a C++ compiler and the headers of '
        "Python ('apt install g++ python3-dev'), and for a CUDA torch the CUDA "
        'toolkit (nvcc) of the version torch.version.cuda, found through CUDA_HOME. '
        'MAX_JOBS=1 needs the least memory.'
    )


def install_classification(env: Environment) -> None:
    """Puts mmpretrain aside, for its tests alone: mmdet imports it where it can."""
    files = (PINS / 'classification.txt', PINS / f'classification-{env.stack}.txt')
    chosen = [option for file in files for option in ('-r', file)]
    target = ('--upgrade', '--target', env.path / 'classification')
    env.pip('--no-deps', '--no-build-isolation', *target, *chosen)


def build(env: Environment) -> None:
    """Brings the environment up to date with the pins.

    Raises:
        BuildError: If a step fails; the message says which and what to do.
    """
    create(env)
    env.record(key='')
    env.pip('-r', PINS / 'build.txt')
    torch_version = install_torch(env)
    env.record(torch=env.torch)
    print(f'torch {torch_version}; libraries and tools of requirements/', flush=True)
    runtime, dev = PINS / 'runtime.txt', PINS / 'dev.txt'
    env.pip('--no-deps', '-r', runtime, '-r', dev)
    lines = (PINS / f'{env.stack}.txt').read_text(encoding='utf-8').splitlines()
    stack = [line for line in lines if line and not line.startswith('#')]
    mmcv = next(pin for pin in stack if 'mmcv' in pin)
    rest = [pin for pin in stack if pin != mmcv]
    env.pip('--no-deps', '--no-build-isolation', *rest)
    install_mmcv(env, mmcv, torch_version)
    install_classification(env)
    check = env.ask('import mmdet.datasets, mmdet.evaluation, mmdet.models')
    if check.returncode:
        raise BuildError(f'mmdet cannot be imported:\n{check.stderr}')
    env.pip('--no-deps', '--no-build-isolation', '-e', ROOT)
    env.record(key=env.key())


def main() -> None:
    """Parses the command line and builds what is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--stack', choices=ENV_DIRS, default='onedl')
    parser.add_argument(
        '--torch',
        default='',
        help="a version ('2.9.1'), a requirement or wheel for pip, or 'system' for the "
        'torch of this interpreter (default: the version in requirements/torch.txt)',
    )
    arguments = parser.parse_args()
    if sys.version_info < (3, 10):  # noqa: UP036  any Python may be called python3
        sys.exit(
            f'make env: {sys.executable} is Python {sys.version.split()[0]}; choose '
            'one from 3.10 to 3.13 with PYTHON=.'
        )
    env = Environment(arguments.stack, arguments.torch)
    # A torch once chosen stays: `make test` after `make env TORCH=...` keeps it.
    env.torch = env.torch or env.read_stamp().get('torch', '')
    if env.python.exists() and env.read_stamp().get('key') == env.key():
        return
    try:
        build(env)
    except BuildError as error:
        sys.exit(f'make env: {error}')
    except KeyboardInterrupt:
        sys.exit('make env: interrupted; the next call goes on from here')
    print(f'{env.path.name} is ready')


if __name__ == '__main__':
    main()
