"""The device that a run takes."""

from __future__ import annotations

import logging

import torch
from mmcv.ops import nms
from mmengine.config import Config
from mmengine.device import get_device, utils
from mmengine.logging import print_log


def run_an_op(device: str) -> None:
    """Run an op of mmcv on a device.

    Args:
        device: As torch names it.

    Raises:
        RuntimeError, NotImplementedError: If mmcv has no ops for it, or torch none.
    """
    boxes = torch.tensor([[0.0, 0.0, 8.0, 8.0]], device=device)
    nms(boxes, torch.ones(1, device=device), 0.5)


def leave_device_without_ops() -> None:
    """Take the CPU where the ops of mmcv do not run on the device mmengine has found.

    On a Mac mmengine takes Apple's ``mps``, for which mmcv has next to no op: a
    detector would train for an epoch, and fail at its first ``nms``. CUDA without the
    ops is a wrong build instead, and stays for ``mmmix check`` and the ops to say.
    """
    device = get_device()
    if device in ('cpu', 'cuda'):
        return
    try:
        run_an_op(device)
    except (RuntimeError, NotImplementedError) as error:
        utils.DEVICE = 'cpu'
        reason = str(error).splitlines()[0]
        print_log(
            f'The CPU is used, not {device}: mmcv has no ops for that ({reason})',
            level=logging.WARNING,
        )


def leave_half_to_gpus(cfg: Config) -> None:
    """Have a CPU validate and test in single precision.

    With ``fp16`` in ``val_cfg`` or ``test_cfg`` mmengine computes in bfloat16 there,
    which numpy does not know: mmdet's metrics stop at the first detection.

    Args:
        cfg: Of a run; changed where that is asked for on a CPU.
    """
    for key in ('val_cfg', 'test_cfg'):
        loop = cfg.get(key)
        if isinstance(loop, dict) and loop.get('fp16') and get_device() == 'cpu':
            loop['fp16'] = False
            print_log(
                f'{key}.fp16 is left out on a CPU: it would be bfloat16, which no '
                'metric of mmdet takes.'
            )
