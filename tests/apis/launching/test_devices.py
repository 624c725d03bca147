"""A device that mmcv has no ops for is left before anything is on it."""

from __future__ import annotations

import json

import pytest
import torch
from mmengine.config import Config
from mmengine.device import get_device, utils
from mmengine.runner import autocast

from mmmix.apis.configs import train_options
from mmmix.apis.launching import devices
from mmmix.apis.run_checks.finding import FAULT
from mmmix.apis.run_checks.stack import check_ops
from mmmix.commands import test, train
from mmmix.commands.train import main
from tests.toy_run import write_config


@pytest.fixture
def on_a_mac(monkeypatch):
    """mmengine has found ``mps``, which this machine's torch has nothing for."""
    monkeypatch.setattr(utils, 'DEVICE', 'mps')


def test_a_device_without_ops_is_left_aloud(on_a_mac, capsys):
    devices.leave_device_without_ops()
    assert get_device() == 'cpu'
    said = capsys.readouterr().out
    assert 'The CPU is used, not mps: mmcv has no ops for that (' in said
    devices.leave_device_without_ops()
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize(
    ('device', 'tried'), [('mps', ['mps']), ('cuda', []), ('cpu', [])]
)
def test_a_device_with_ops_is_kept(device, tried, monkeypatch):
    ran = []
    monkeypatch.setattr(utils, 'DEVICE', device)
    monkeypatch.setattr(devices, 'run_an_op', ran.append)
    devices.leave_device_without_ops()
    assert get_device() == device
    assert ran == tried


def test_a_run_on_a_mac_is_on_the_cpu(on_a_mac, tmp_path):
    main([write_config(tmp_path), '--work-dir', str(tmp_path / 'run')])
    assert json.loads((tmp_path / 'rank0.json').read_text())['iter'] == 8


def test_the_check_of_a_mac_finds_no_fault(on_a_mac, capsys):
    found = list(check_ops())
    assert not [one for one in found if one.level == FAULT]
    assert 'not mps' in capsys.readouterr().out


@pytest.mark.parametrize(('device', 'kept'), [('cpu', False), ('cuda', True)])
@pytest.mark.parametrize('command', ['train', 'test'])
def test_half_precision_of_a_validation_is_for_gpus(
    command, device, kept, tmp_path, monkeypatch, capsys
):
    """On a CPU it is bfloat16, which numpy, and so each metric of mmdet, refuses."""
    monkeypatch.setattr(utils, 'DEVICE', device)
    loop = dict(type='ValLoop', fp16=True)
    cfg = Config(dict(val_cfg=loop, test_cfg=dict(loop, type='TestLoop')))
    cfg.work_dir = str(tmp_path)
    if command == 'train':
        train_options.apply_options(cfg, train.parse_args(['c.py']))
    else:
        (tmp_path / 'x.pth').touch()
        args = test.parse_args(['c.py', str(tmp_path / 'x.pth')])
        test.apply_options(cfg, args)
    assert cfg.val_cfg.fp16 is cfg.test_cfg.fp16 is kept
    said = capsys.readouterr().out
    assert ('test_cfg.fp16 is left out on a CPU' in said) is not kept
    with autocast('cpu', enabled=cfg.val_cfg.fp16):
        found = torch.nn.Linear(1, 1)(torch.zeros(1, 1)).detach()
    if kept:
        with pytest.raises(TypeError, match='BFloat16'):
            found.numpy()
    else:
        assert found.numpy().dtype == 'float32'
