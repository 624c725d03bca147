"""What a stranger's file may not do to the process that reads it."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types

import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader

from mmmix.apis.checkpoints.loading import (
    UnsafeCheckpointError,
    install_safe_loading,
)
from mmmix.apis.checkpoints.resume import DamagedCheckpointError
from mmmix.apis.safe_loading.archive import load_pickle, load_safely

from .poisons import POISONS, archive, claimed_storage, poison, resident
from .random_pickles import NAMES, Author


@pytest.fixture
def genuine(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    buffer = HistoryBuffer([3.0, 1.0], [1, 1])
    hub = {'log_scalars': {'train/loss': buffer}}
    hub |= {'runtime_info': {}, 'resumed_keys': {'train/loss': True}}
    torch.save({'state_dict': {'w': torch.ones(1)}, 'message_hub': hub}, path)
    return path


# Notes of Python's, of torch about what mmengine's fork allows during a load, and of
# hypothesis, which times what the garbage collector does meanwhile.
IGNORED = (
    *('__warningregistry__', '__slotnames__', '_marked_safe_globals_set'),
    *('_gc_start', '_gc_cumulative_time'),
)


def load(path):
    with install_safe_loading():
        return CheckpointLoader.load_checkpoint(str(path), 'cpu')


def attributes() -> dict[str, dict]:
    """What every loaded module and class consists of, by identity."""
    found: dict[str, dict] = {}
    for module_name, module in list(sys.modules.items()):
        if not isinstance(module, types.ModuleType):
            continue
        found[module_name] = {key: id(value) for key, value in vars(module).items()}
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and value.__module__ == module_name:
                own = {key: id(part) for key, part in vars(value).items()}
                found[f'{module_name}:{name}'] = own
    found['statistics'] = dict(HistoryBuffer._statistics_methods)
    found['set'] = {key: id(value) for key, value in vars(HistoryBuffer).items()}
    return found


def changed(before: dict[str, dict]) -> list[str]:
    """Names of what is not as it was; new modules do not count."""
    after = attributes()
    return [
        f'{place}.{name}'
        for place, names in before.items()
        for name in names.keys() | after.get(place, names).keys()
        if names.get(name) != after.get(place, names).get(name) and name not in IGNORED
    ]


@pytest.mark.parametrize('name', POISONS)
def test_poison_changes_nothing_and_takes_no_memory(name, genuine, tmp_path):
    path = tmp_path / 'epoch_2.pth'
    poison(genuine, path, name)
    before, memory = attributes(), resident()
    if name == 'statistics':
        # The file has a buffer with methods of its own, which it does not keep.
        kept = load(path)['message_hub']['runtime_info']['poison']
        assert kept.statistics('mean') == 1.0
        assert '_statistics_methods' not in vars(kept)
    else:
        with pytest.raises((UnsafeCheckpointError, DamagedCheckpointError)) as caught:
            load(path)
        assert str(path) in str(caught.value)
    assert not changed(before)
    assert resident() - memory < 64 << 20


@pytest.mark.parametrize('name', ['buffer-mean', 'tensor-to'])
def test_poison_by_init_cfg(name, genuine, tmp_path):
    path = tmp_path / 'epoch_2.pth'
    poison(genuine, path, name)
    for more in ({}, {'prefix': 'backbone.'}):
        init_cfg = dict(type='Pretrained', checkpoint=str(path), **more)
        with install_safe_loading(), pytest.raises(UnsafeCheckpointError):
            BaseModule(init_cfg=init_cfg).init_weights()
    assert HistoryBuffer([4.0, 2.0], [1, 1]).statistics('mean') == 3.0


def test_a_storage_has_no_more_than_its_bytes(tmp_path):
    path = tmp_path / 'a.pth'
    claimed_storage(path, 1)
    assert load(path)['state_dict']['w'].tolist() == [0.0]
    for numel in (2, 1 << 31, 1 << 62):
        claimed_storage(path, numel)
        with pytest.raises(DamagedCheckpointError, match='4 bytes'):
            load(path)


def run_random(numbers: range, tmp_path, monkeypatch) -> dict[str, int]:
    """Load random pickles, each fourth without archive, and count how it ended."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'random.pth'
    ends = {'loaded': 0, 'refused': 0}
    for seed in (-1, -2, *numbers):
        if seed == numbers[0]:
            before, memory = attributes(), resident()
        pickled = Author(seed).pickle()
        archive(pickled, {'0': bytes(8)}, path)
        try:
            load_safely(path) if seed % 4 else load_pickle(io.BytesIO(pickled))
            ends['loaded'] += 1
        except Exception:
            ends['refused'] += 1
    assert not changed(before)
    assert os.listdir(tmp_path) == ['random.pth']
    assert resident() - memory < 256 << 20
    return ends


@pytest.mark.filterwarnings('ignore')
def test_random_pickles_change_nothing(tmp_path, monkeypatch):
    ends = run_random(range(2000), tmp_path, monkeypatch)
    # Else the pickles would be too odd to get anywhere.
    assert ends['loaded'] > 100


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore')
def test_many_random_pickles_change_nothing(tmp_path, monkeypatch):
    run_random(range(2000, 40000), tmp_path, monkeypatch)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_gives_what_it_names(name):
    module, _, attribute = name.rpartition('.')
    value = load_pickle(io.BytesIO(f'c{module}\n{attribute}\n.'.encode()))
    assert isinstance(value, (str, torch.dtype))
    assert not callable(value)
    # Neither by a state of its own.
    for state in (
        b'}(X\x01\x00\x00\x00aK\x01ub.',
        b'N}(X\x01\x00\x00\x00aK\x01u\x86b.',
    ):
        with pytest.raises(pickle.UnpicklingError):
            load_pickle(io.BytesIO(f'c{module}\n{attribute}\n'.encode() + state))


def test_the_hub_takes_what_was_loaded(genuine):
    saved = load(genuine)['message_hub']
    hub = MessageHub.get_instance('poisons')
    hub.load_state_dict(saved)
    assert hub.get_scalar('train/loss').mean() == 2.0
