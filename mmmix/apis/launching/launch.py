"""Several processes for one run, on GPUs or, without any, on the CPU."""

from __future__ import annotations

import datetime
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import init_dist
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmmix.apis.launching.nodes import check_master, choose_interface, several_nodes
from mmmix.registry import class_of

_VARIABLES = {
    'pytorch': {'RANK': 'RANK', 'WORLD_SIZE': 'WORLD_SIZE', 'LOCAL_RANK': 'LOCAL_RANK'},
    'slurm': {
        'RANK': 'SLURM_PROCID',
        'WORLD_SIZE': 'SLURM_NTASKS',
        'LOCAL_RANK': 'SLURM_LOCALID',
    },
    'mpi': {
        'RANK': 'OMPI_COMM_WORLD_RANK',
        'WORLD_SIZE': 'OMPI_COMM_WORLD_SIZE',
        'LOCAL_RANK': 'OMPI_COMM_WORLD_LOCAL_RANK',
    },
}
LAUNCHERS = ('none', *_VARIABLES)


@MODEL_WRAPPERS.register_module()
class CPUDistributedDataParallel(MMDistributedDataParallel):
    """``MMDistributedDataParallel`` for a model on the CPU.

    SyncBN works on GPUs only and becomes BN, as in a run of one process.

    Args:
        module: The model.
        device_ids: Not used: a model on the CPU has none, but the Runner passes
            the local rank to every data-parallel wrapper.
        kwargs: As for ``MMDistributedDataParallel``.
    """

    def __init__(
        self, module: nn.Module, device_ids: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(module=revert_sync_batchnorm(module), **kwargs)


@contextmanager
def launched(cfg: Config) -> Iterator[None]:
    """Join the other processes of a run, before its Runner is built.

    A process group that exists, of Ray Train say, is used as it is. Else one is made
    here: with GPUs as the Runner would make it a little later, so that processes can
    agree before. On the CPU mmengine would still ask for a CUDA device; there it is
    made with gloo, and ``cfg.model_wrapper_cfg`` is set to a wrapper for the CPU.

    Args:
        cfg: The run's config, with ``launcher``.

    Raises:
        KeyError: If the launcher has not set its environment variables.
        ValueError: If there are more processes than GPUs, or ``MASTER_ADDR`` is
            every machine itself.
    """
    if dist.is_initialized():
        _join(cfg)
        yield
        return
    if cfg.launcher == 'none':
        yield
        return
    _export_ranks(cfg.launcher)
    check_master(cfg.launcher)
    _choose_port(cfg.launcher)
    settings = cfg.get('env_cfg') or {}
    if get_device() != 'cpu':
        _check_device(int(os.environ['LOCAL_RANK']), cfg.launcher)
        ours = _init_on_gpus(cfg, settings)
        yield
        # Not after an error: others may wait in nccl, and would keep this one, too.
        if ours:
            dist.destroy_process_group()
        return
    _export_master(cfg.launcher)
    if several_nodes(cfg.launcher):
        choose_interface()
    timeout = settings.get('dist_cfg', {}).get('timeout', 1800)
    dist.init_process_group('gloo', timeout=datetime.timedelta(seconds=timeout))
    cfg.model_wrapper_cfg = _cpu_wrapper(cfg)
    try:
        yield
    finally:
        dist.destroy_process_group()


@contextmanager
def released(runner: Runner) -> Iterator[None]:
    """Let go of the process group at the end of a block, inside :func:`launched`.

    A data-parallel wrapper holds the group, whose threads end with it. Left to live
    on, they may ask for Python's lock while the interpreter ends, which aborts the
    process, or while it waits for them.

    Args:
        runner: Its model, wrapped or not, is not to be trained any more. A
            ``FlexibleRunner`` has the config of one until it trains.
    """
    try:
        yield
    finally:
        model = runner.model
        for part in model.modules() if isinstance(model, nn.Module) else ():
            if isinstance(part, DistributedDataParallel):
                del part.logger, part.reducer, part.process_group


def _init_on_gpus(cfg: Config, settings: Mapping[str, Any]) -> bool:
    """Make the process group as ``Runner.setup_env`` does, which then finds it.

    Args:
        cfg: The run's config.
        settings: Its ``env_cfg``.

    Returns:
        Whether it was made.
    """
    if 'runner_type' in cfg or 'strategy' in cfg:
        return False  # of deepspeed, say, whose strategies make a group of their own
    set_multi_processing(**settings.get('mp_cfg', {}), distributed=True)
    init_dist(cfg.launcher, **settings.get('dist_cfg', {}))
    if several_nodes(cfg.launcher):
        choose_interface()  # for the numbers on the host, beside nccl
    return True


def _join(cfg: Config) -> None:
    """Take part in the process group that another program has made."""
    os.environ['RANK'] = str(dist.get_rank())
    os.environ['WORLD_SIZE'] = str(dist.get_world_size())
    if cfg.launcher == 'none':
        cfg.launcher = 'pytorch'  # mmengine asks no more than that it is not `none`
    choose_interface()
    if get_device() == 'cpu':
        cfg.model_wrapper_cfg = _cpu_wrapper(cfg)


def check_launcher(launcher: str) -> None:
    """Refuse processes of torchrun that were not told to work together.

    Each would train or test everything, alone.

    Args:
        launcher: The run's launcher.

    Raises:
        ValueError: If there are several.
    """
    number = os.environ.get('WORLD_SIZE', '1')
    apart = launcher == 'none' and not dist.is_initialized()
    if apart and 'TORCHELASTIC_RUN_ID' in os.environ and number != '1':
        raise ValueError(
            f'torchrun has started {number} processes, and --launcher is none: each '
            'would make the whole run alone; add --launcher pytorch behind the script'
        )


def launch_rank(launcher: str) -> int:
    """The number of this process among those of its run, 0 for the first or only one.

    Args:
        launcher: The run's launcher.
    """
    if dist.is_initialized():
        return dist.get_rank()
    if launcher == 'none':
        return 0
    return int(os.environ.get(_VARIABLES[launcher]['RANK'], '0'))


def given_command() -> list[str]:
    """The command line of the script that started this process's run, if one did.

    ``tools/dist_*.sh`` and ``slurm_*.sh`` hand it on in ``MMMIX_COMMAND``. Under
    torchrun without them it is that of the agent, where Linux tells it.
    """
    given = os.environ.get('MMMIX_COMMAND', '')
    if not given and 'TORCHELASTIC_RUN_ID' in os.environ:
        return _command_line(os.getppid())
    return shlex.split(given)


def _command_line(process: int) -> list[str]:
    """How a process was started; nothing if the system does not tell."""
    try:
        return Path(f'/proc/{process}/cmdline').read_text().split('\0')[:-1]
    except OSError:
        return []


def _export_ranks(launcher: str) -> None:
    """Name the launcher's rank and size as torch does."""
    for name, variable in _VARIABLES[launcher].items():
        if variable not in os.environ:
            raise KeyError(
                f'--launcher {launcher} expects the environment variable {variable}; '
                'start several processes by tools/dist_train.sh, tools/dist_test.sh, '
                'tools/slurm_train.sh or tools/slurm_test.sh, or without a checkout by '
                'torchrun -m mmmix.train, srun or mpirun'
            )
        os.environ[name] = os.environ[variable]


def _choose_port(launcher: str) -> None:
    """Give each step of a job of Slurm a port of its own: jobs may share a machine.

    ``MASTER_PORT``, where it is set, stays.
    """
    job, step = (os.environ.get(f'SLURM_{name}_ID', '0') for name in ('JOB', 'STEP'))
    if launcher == 'slurm' and job.isdecimal() and step.isdecimal() and int(job):
        port = 20000 + (10 * int(job) + int(step)) % 10000
        os.environ.setdefault('MASTER_PORT', str(port))


def _check_device(local_rank: int, launcher: str) -> None:
    """Every process of a machine needs a GPU of its own, and sees those of all."""
    count = torch.cuda.device_count()
    if torch.cuda.is_available() and local_rank >= count:
        bound = ', or srun --gpu-bind=none if Slurm shows each process one alone'
        raise ValueError(
            f'process {local_rank + 1} of this machine has no GPU, there are {count}: '
            f'start at most {count} processes, or CUDA_VISIBLE_DEVICES=-1 for the CPU'
            + (bound if launcher == 'slurm' else '')
        )


def _export_master(launcher: str) -> None:
    """Say where rank 0 listens, unless the environment says it."""
    os.environ.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' in os.environ:
        return
    if launcher == 'slurm' and os.environ.get('SLURM_NNODES', '1') != '1':
        nodes = subprocess.run(
            ['scontrol', 'show', 'hostnames', os.environ['SLURM_JOB_NODELIST']],
            check=True,
            capture_output=True,
            text=True,
        )
        os.environ['MASTER_ADDR'] = nodes.stdout.split()[0]
    elif os.environ.get('OMPI_COMM_WORLD_LOCAL_SIZE') != os.environ['WORLD_SIZE'] and (
        launcher == 'mpi'
    ):
        raise KeyError('--launcher mpi on several machines expects MASTER_ADDR')
    else:
        os.environ['MASTER_ADDR'] = '127.0.0.1'


def _cpu_wrapper(cfg: Config) -> dict:
    """The config's own model wrapper without a device, or ours.

    Settings of mmengine's, such as ``static_graph``, go to ours, which knows of SyncBN.
    """
    own = cfg.get('model_wrapper_cfg')
    if own is not None:
        kind = own.get('type', MMDistributedDataParallel)
        if class_of(kind, MODEL_WRAPPERS) is MMDistributedDataParallel:
            kind = 'CPUDistributedDataParallel'
        return dict(own, type=kind, device_ids=None)
    return dict(
        type='CPUDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
