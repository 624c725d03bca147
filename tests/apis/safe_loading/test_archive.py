"""Files of ``torch.save`` read as data, against ``torch.load`` itself."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader
from torch import nn

from mmmix.apis.checkpoints.fit import ForeignCheckpointError
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.apis.checkpoints.resume import DamagedCheckpointError
from mmmix.apis.safe_loading.archive import load_pickle, load_safely


def load(path):
    with install_safe_loading():
        return CheckpointLoader.load_checkpoint(str(path), 'cpu')


def everything() -> dict:
    """One of each kind of value that a checkpoint may hold."""
    shared = torch.arange(12.0)
    state = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).state_dict()
    with_attribute = torch.ones(2)
    with_attribute.note = 'gone'
    return {
        'state_dict': state,
        'views': [shared, shared[2:8].view(2, 3).t(), shared[::2], shared[:0]],
        'kinds': [
            torch.arange(3).to(kind)
            for kind in (
                *(torch.float16, torch.bfloat16, torch.float64, torch.int8),
                *(torch.uint8, torch.int64, torch.bool, torch.complex64),
                *(torch.uint16, torch.uint32, torch.float8_e5m2),
            )
        ],
        'conj': torch.tensor([1 + 2j]).conj(),
        'repeated': torch.tensor([3.0]).expand(5),
        'scalar': torch.tensor(4),
        'parameter': nn.Parameter(torch.ones(2), requires_grad=False),
        'attribute': with_attribute,
        'plain': [
            1,
            -5,
            1 << 70,
            2.5,
            True,
            None,
            'text',
            b'\x00\xff',
            b'',
            bytearray(b'a'),
        ],
        'more': [1 + 2j, {1, 2}, (1, (2,)), slice(1, None, 2), torch.Size([1, 2])],
        'torch': [torch.float32, torch.device('cpu'), torch.device('cuda:1')],
        'milestones': Counter({3: 1}),
        'ordered': OrderedDict(a=1),
        'arrays': [
            np.arange(6.0).reshape(2, 3),
            np.asfortranarray(np.arange(6).reshape(2, 3)),
            np.arange(3, dtype='>i4'),
            np.array(['a', 'bcd']),
            np.array([b'xy']),
            np.array([True]),
            np.zeros((0, 3), 'f4'),
            np.array(['2020-01-01'], 'M8[D]'),
            np.array([5], 'm8[25s]'),
        ],
        'numbers': [np.float32(2), np.int64(3), np.bool_(True), np.str_('a')],
    }


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert (found.dtype, found.stride()) == (expected.dtype, expected.stride())
        assert found.requires_grad == expected.requires_grad
        raw = [
            value.detach().resolve_conj().contiguous() for value in (found, expected)
        ]
        assert raw[0].shape == raw[1].shape
        assert bytes(raw[0].untyped_storage()) == bytes(raw[1].untyped_storage())
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert found.flags.f_contiguous == expected.flags.f_contiguous
        assert found.tolist() == expected.tolist()
        assert found.flags.writeable
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected


@pytest.mark.parametrize('new', [True, False], ids=['zip', 'legacy'])
def test_all_kinds_of_values_are_as_torch_loads_them(new, tmp_path):
    path = tmp_path / 'all.pth'
    content = everything()
    if not new:
        # torch itself cannot read these again.
        content['kinds'] = content['kinds'][:8]
    torch.save(content, path, _use_new_zipfile_serialization=new)
    expected = torch.load(path, weights_only=False)
    for file in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        found = load_safely(file, 'cpu')
        assert_same(found, expected)
    assert found['state_dict']._metadata == expected['state_dict']._metadata
    # Views of one storage stay views of one.
    found['views'][0][2] = 7
    assert found['views'][1][0, 0] == 7
    assert not hasattr(found['attribute'], 'note')


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_plain_pickles_are_as_pickle_loads_them(protocol):
    content = everything()
    content['kinds'] = content['kinds'][:8]
    text = pickle.dumps(content, protocol=protocol)
    assert_same(load_pickle(io.BytesIO(text)), pickle.loads(text))


def test_numbers_of_a_machine_of_the_other_order(tmp_path):
    path, other = tmp_path / 'a.pth', tmp_path / 'b.pth'
    torch.save({'w': torch.tensor([1.0, 2.0])}, path)
    with zipfile.ZipFile(path) as read, zipfile.ZipFile(other, 'w') as write:
        for name in read.namelist():
            content = read.read(name)
            if name.endswith('byteorder'):
                content = b'big'
            if name.endswith('data/0'):
                content = np.frombuffer(content, '<f4').astype('>f4').tobytes()
            write.writestr(name, content)
    assert load(other)['w'].tolist() == [1.0, 2.0]


def test_other_devices(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save({'w': torch.ones(2)}, path)
    assert load_safely(path, 'meta')['w'].device.type == 'meta'
    assert load_safely(path, lambda storage, _: storage)['w'].tolist() == [1.0, 1.0]


@pytest.mark.parametrize('new', [True, False], ids=['zip', 'legacy'])
def test_a_flipped_bit_and_a_hole_are_found(new, tmp_path):
    path = tmp_path / 'epoch_1.pth'
    weights = {'w': torch.randn(5000), 'v': torch.randn(7)}
    torch.save({'state_dict': weights}, path, _use_new_zipfile_serialization=new)
    whole = path.read_bytes()
    first = whole.index(weights['w'].numpy().tobytes()[:64])
    for begin, end, content in (
        (first + 4000, first + 8096, b'\0' * 4096),
        (first + 9, first + 10, bytes([whole[first + 9] ^ 16])),
    ):
        path.write_bytes(whole[:begin] + content + whole[end:])
        if new:
            with pytest.raises(DamagedCheckpointError, match='CRC'):
                load(path)
        else:
            # This format has no check sums.
            assert load(path)['state_dict']['w'].shape == (5000,)


def test_what_is_no_checkpoint_is_named(tmp_path):
    path = tmp_path / 'a.pth'
    module = torch.jit.script(nn.Linear(1, 1))
    cases = {
        'TorchScript': lambda: torch.jit.save(module, str(path)),
        'a list': lambda: torch.save([1], path),
        'a Tensor': lambda: torch.save(torch.ones(1), path),
        'holds nothing': lambda: torch.save({}, path),
        "a str as 'meta'": lambda: torch.save({'meta': 'text'}, path),
        "a list as 'state_dict'": lambda: torch.save({'state_dict': [1]}, path),
        'of type int': lambda: torch.save({'state_dict': {1: torch.ones(1)}}, path),
    }
    for words, save in cases.items():
        save()
        with pytest.raises(ForeignCheckpointError, match=words) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert 'trust' not in str(caught.value)


def test_archives_of_others(tmp_path):
    path = tmp_path / 'a.pth'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('readme.txt', 'hello')
    with pytest.raises(DamagedCheckpointError, match='not written'):
        load(path)
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('a/data.pkl', b'\x80\x02}.' + b'\0' * 100000)
    with pytest.raises(DamagedCheckpointError, match='packed'):
        load(path)


def test_legacy_storages_have_no_more_than_the_file(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save({'w': torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()

    at = whole.index(b'cpu')
    count = whole.index(b'K\x02', at)
    large = whole[:count] + b'J\xff\xff\xff\x7f' + whole[count + 2 :]
    path.write_bytes(large)

    with pytest.raises(DamagedCheckpointError, match='larger than the file'):
        load(path)
