"""Safe loading of checkpoints, by every way mmengine loads them."""

from __future__ import annotations

import io
import pickle
from urllib.error import URLError

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader, load_checkpoint
from torch import nn

from mmmix.apis.checkpoints import loading
from mmmix.apis.checkpoints.loading import (
    UnsafeCheckpointError,
    install_safe_loading,
)
from mmmix.apis.checkpoints.resume import DamagedCheckpointError
from mmmix.apis.safe_loading.archive import load_safely
from mmmix.apis.safe_loading.values import LOG_BUFFER, Name, restricted_getattr
from tests.apis.safe_loading.planted import PLANTS, plant


def load(path):
    return CheckpointLoader.load_checkpoint(str(path), 'cpu')


@pytest.fixture
def genuine(tmp_path):
    """What ``Runner.save_checkpoint`` writes: weights, log buffers, states."""
    hub = MessageHub.get_instance(f'genuine {tmp_path}')
    for value in (3.0, 1.0, 2.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('palette', np.array([[220, 20, 60]], dtype=np.uint8))
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    path = tmp_path / 'epoch_1.pth'
    content = {
        'meta': {'epoch': 1, 'iter': np.int64(4), 'dataset_meta': {'classes': ('a',)}},
        'state_dict': model.state_dict(),
        'message_hub': hub.state_dict(),
        'optimizer': optimizer.state_dict(),
        'param_schedulers': [{'last_step': 1, '_last_value': [0.1]}],
    }
    torch.save(content, path)
    return path, content


def test_genuine_checkpoint_loads_in_full(genuine):
    path, content = genuine
    with install_safe_loading():
        loaded = load(path)
    assert loaded['meta'] == content['meta']
    assert torch.equal(
        loaded['optimizer']['state'][0]['momentum_buffer'],
        content['optimizer']['state'][0]['momentum_buffer'],
    )
    loss = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(loss, HistoryBuffer)
    assert [loss.statistics(name) for name in ('min', 'max', 'mean', 'current')] == [
        *(1.0, 3.0, 2.0, 2.0)
    ]
    palette = loaded['message_hub']['runtime_info']['palette']
    assert palette.tolist() == [[220, 20, 60]]
    assert palette.dtype == np.uint8


@pytest.mark.parametrize('how', PLANTS)
def test_planted_command_runs_without_us_and_not_with_us(how, genuine, tmp_path):
    planted = tmp_path / 'planted.pth'
    trace = plant(genuine[0], planted, how)
    with (
        install_safe_loading(),
        pytest.raises(UnsafeCheckpointError, match='--trust-checkpoint') as caught,
    ):
        load(planted)
    assert not trace.exists()
    assert str(planted) in str(caught.value)
    assert {'system': 'posix.system', 'getattr': 'getattr'}[how] in str(caught.value)
    with install_safe_loading(trust=True):
        load(planted)
    assert trace.exists()


@pytest.mark.parametrize('how', PLANTS)
@pytest.mark.parametrize('way', ['pretrained', 'prefix', 'http', 'openmmlab', 's3'])
def test_every_way_in_is_safe(way, how, genuine, tmp_path, monkeypatch):
    planted = tmp_path / 'planted.pth'
    trace = plant(genuine[0], planted, how)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path))
    cache = tmp_path / 'hub' / 'checkpoints'
    cache.mkdir(parents=True)
    (cache / 'planted.pth').write_bytes(planted.read_bytes())
    (tmp_path / 'open_mmlab.json').write_text('{"planted": "planted.pth"}')
    monkeypatch.setattr(
        'mmengine.runner.checkpoint.get_file_backend',
        lambda *args, **kwargs: type(
            'B', (), {'get': lambda *_: planted.read_bytes()}
        )(),
    )
    source = {
        'http': 'https://example.invalid/planted.pth',
        'openmmlab': 'open-mmlab://planted',
        's3': 's3://bucket/planted.pth',
    }.get(way, str(planted))
    init_cfg = dict(type='Pretrained', checkpoint=source)
    if way == 'prefix':
        init_cfg['prefix'] = 'backbone.'
    with install_safe_loading(), pytest.raises(UnsafeCheckpointError):
        BaseModule(init_cfg=init_cfg).init_weights()
    assert not trace.exists()


def test_config_text_of_a_checkpoint_is_not_kept(genuine):
    path, content = genuine
    content['meta']['config'] = 'import os'
    torch.save(content, path)
    with install_safe_loading():
        assert 'config' not in load(path)['meta']
    with install_safe_loading(trust=True):
        assert load(path)['meta']['config'] == 'import os'


def test_torch_allow_list_of_others_does_not_count_and_is_kept(genuine, tmp_path):
    planted = tmp_path / 'planted.pth'
    plant(genuine[0], planted, 'getattr')
    with torch.serialization.safe_globals([getattr, print]):
        with pytest.raises(pickle.UnpicklingError, match='getattr'):
            load_safely(planted)
        assert {getattr, print} <= set(torch.serialization.get_safe_globals())


@pytest.mark.parametrize(
    ('owner', 'name'),
    [
        (HistoryBuffer, 'mean'),
        (LOG_BUFFER, 'mean'),
        (Name(LOG_BUFFER), '__init__'),
        (Name(LOG_BUFFER), '__globals__'),
        (Name(LOG_BUFFER), 'register_statistics'),
        (Name('torch.Tensor'), 'mean'),
        (HistoryBuffer, '__init__'),
        (HistoryBuffer, 'register_statistics'),
        (HistoryBuffer, '__class__'),
        (HistoryBuffer(), 'mean'),
        (type('HistoryBuffer', (), {'mean': 1}), 'mean'),
        (np, 'load'),
    ],
)
def test_restricted_getattr_refuses(owner, name):
    with pytest.raises(pickle.UnpicklingError, match='getattr'):
        restricted_getattr(owner, name)


@pytest.mark.parametrize('name', ['min', 'max', 'current', 'mean'])
def test_restricted_getattr_answers_a_word(name):
    assert restricted_getattr(Name(LOG_BUFFER), name) == f'HistoryBuffer.{name}'


def test_arrays_are_numbers_and_text_only(tmp_path):
    class Raw:
        """An array made from raw bytes, which may be taken for pointers."""

        def __reduce__(self):
            return np.ndarray, ((1,), 'O', b'\x00' * 8)

    path = tmp_path / 'array.pth'
    good = {
        'f': np.float32(2),
        't': np.array(['a', 'bc']),
        'b': np.arange(2, dtype='>i4'),
    }
    torch.save(good, path)
    with install_safe_loading():
        loaded = load(path)
        assert loaded['t'].tolist() == ['a', 'bc']
        assert (loaded['f'], loaded['b'].tolist()) == (2.0, [0, 1])
        assert np.dtype('i4').isnative
        for bad in (np.array([{}], dtype=object), np.zeros(1, [('x', 'O')]), Raw()):
            torch.save({'x': bad}, path)
            with pytest.raises(UnsafeCheckpointError, match='numpy'):
                load(path)


def _damaged_files(genuine):
    whole = genuine[0].read_bytes()
    legacy = io.BytesIO()
    torch.save(genuine[1], legacy, _use_new_zipfile_serialization=False)
    old = legacy.getvalue()
    return [
        *(whole[:size] for size in (0, 3, 100, len(whole) // 2, len(whole) - 1)),
        *(old[:size] for size in (100, len(old) // 2, len(old) - 1)),
        *(b'\0' * 5000, b'<!DOCTYPE html>' * 9, b'text', pickle.dumps(1, protocol=4)),
        whole[:500] + b'\xff' * 300 + whole[800:],
    ]


def test_damaged_file_is_named_with_its_size_and_the_others(genuine, tmp_path):
    other = tmp_path / 'epoch_2.pth'
    other.write_bytes(genuine[0].read_bytes())
    (tmp_path / 'epoch_3.pth').write_bytes(b'PK\x03\x04 cut short')
    path = tmp_path / 'epoch_4.pth'
    for content in _damaged_files(genuine):
        path.write_bytes(content)
        with (
            install_safe_loading(),
            pytest.raises(DamagedCheckpointError) as caught,
        ):
            load(path)
        message = str(caught.value)
        assert f'{path} ({len(content)} bytes)' in message
        assert f'--resume {other}' in message
        assert 'epoch_1.pth' in message
        assert 'epoch_3.pth' not in message


def test_damaged_download_is_to_be_deleted(genuine, tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    cached = tmp_path / 'hub' / 'checkpoints' / 'net.pth'
    cached.parent.mkdir(parents=True)
    cached.write_bytes(genuine[0].read_bytes()[:-200])
    with install_safe_loading(), pytest.raises(DamagedCheckpointError) as caught:
        load('https://example.invalid/net.pth')
    assert f'{cached} (' in str(caught.value)
    assert 'Delete it' in str(caught.value)


def test_failed_download_says_which_file_goes_where(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise URLError('no route')

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(loading, '_download_url', offline)
    with install_safe_loading(), pytest.raises(ConnectionError) as caught:
        load('open-mmlab://vgg16_caffe')
    message = str(caught.value)
    assert f'put it at {tmp_path}/hub/checkpoints/vgg16_caffe-292e1171.pth' in message
    assert 'cannot download https://' in message
    assert '--no-pretrained' in message


def test_missing_package_and_missing_file_are_explained(tmp_path, monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'torchvision'", name='torchvision')

    monkeypatch.setattr('mmengine.runner.checkpoint.get_torchvision_models', missing)
    with install_safe_loading():
        with pytest.raises(ModuleNotFoundError, match='package torchvision'):
            load('torchvision://resnet50')
        with pytest.raises(FileNotFoundError, match=f'{tmp_path}/no.pth.*load_from'):
            load(tmp_path / 'no.pth')


def test_other_errors_stay_as_they_are(genuine):
    with install_safe_loading(), pytest.raises(RuntimeError) as caught:
        CheckpointLoader.load_checkpoint(str(genuine[0]), 'nonsense')
    assert not isinstance(caught.value, DamagedCheckpointError)


def test_installations_nest_and_are_undone(genuine, tmp_path):
    planted = tmp_path / 'planted.pth'
    trace = plant(genuine[0], planted, 'system')
    stock = CheckpointLoader.__dict__['load_checkpoint']
    outer = install_safe_loading()
    with install_safe_loading(trust=True):
        load(planted)
    assert trace.exists()
    trace.unlink()
    with pytest.raises(UnsafeCheckpointError):
        load(planted)
    assert not trace.exists()
    outer.close()
    assert CheckpointLoader.__dict__['load_checkpoint'] is stock


def test_torch_functions_are_back_after_a_load(genuine):
    before = torch.load, torch.hub.download_url_to_file
    with install_safe_loading():
        load_checkpoint(nn.Linear(2, 1), str(genuine[0]), strict=True)
        assert (torch.load, torch.hub.download_url_to_file) == before
