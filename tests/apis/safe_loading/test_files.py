"""Pickles and YAML that data sets and configs name."""

from __future__ import annotations

import os
import pickle

import mmengine
import numpy as np
import pytest
import torch
from mmdet.datasets import BaseDetDataset
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.fileio.io import file_handlers
from mmengine.structures import InstanceData

from mmmix.apis.safe_loading.files import UnsafeFileError, install_safe_files
from mmmix.commands import train as train_module
from tests.apis.safe_loading.planted import Call
from tests.toy_run import write_config


@pytest.fixture(autouse=True)
def _installed():
    before = dict(file_handlers)
    install_safe_files()
    yield
    file_handlers.update(before)


def annotation(path, **more) -> str:
    sample = dict(img_path='a.jpg', height=4, width=6, instances=[], **more)
    content = dict(metainfo=dict(classes=('a',)), data_list=[sample])
    path.write_bytes(pickle.dumps(content))
    return str(path)


def test_annotations_of_data_and_of_code(tmp_path):
    good = annotation(tmp_path / 'good.pkl', mask=np.ones((2, 2), np.uint8))
    data = BaseDataset(ann_file=good, data_prefix=dict(img_path=''), pipeline=[])
    assert data.get_data_info(0)['mask'].tolist() == [[1, 1], [1, 1]]
    trace = tmp_path / 'ran'
    bad = annotation(tmp_path / 'bad.pkl', evil=Call(os.system, f'touch {trace}'))
    with pytest.raises(UnsafeFileError, match=r'posix\.system'):
        BaseDataset(ann_file=bad, data_prefix=dict(img_path=''), pipeline=[])
    assert not trace.exists()
    install_safe_files(trust=True)
    BaseDataset(ann_file=bad, data_prefix=dict(img_path=''), pipeline=[])
    assert trace.exists()


def test_damaged_pickles(tmp_path):
    path = tmp_path / 'a.pkl'
    whole = pickle.dumps({'a': [1, 2.5, 'text']})
    for content in (b'', whole[:-1], whole[:7], b'\xff\xfe', b'text'):
        path.write_bytes(content)
        with pytest.raises(UnsafeFileError, match='damaged or no pickle'):
            mmengine.load(path)


def test_proposals_as_mmdet_saves_them(tmp_path):
    boxes = np.array([[1, 2, 3, 4]], np.float32)
    instances = InstanceData(bboxes=boxes, scores=np.array([0.5], np.float32))
    instances.set_metainfo({'image': 5})
    path = tmp_path / 'proposals.pkl'
    mmengine.dump({'a.jpg': instances}, path)
    found = mmengine.load(path)['a.jpg']
    assert type(found) is InstanceData
    assert (found.bboxes == boxes).all()
    assert (found.scores.tolist(), found.image) == ([0.5], 5)

    data = BaseDetDataset(
        ann_file=annotation(tmp_path / 'good.pkl'),
        proposal_file=str(path),
        data_prefix=dict(img_path=''),
        pipeline=[],
    )
    assert (data.get_data_info(0)['proposals']['bboxes'] == boxes).all()
    instances.__dict__['numpy'] = boxes
    instances._data_fields.add('numpy')
    mmengine.dump({'a.jpg': instances}, path)
    with pytest.raises(UnsafeFileError):
        mmengine.load(path)


def test_dumped_predictions(tmp_path):
    predictions = [{'img_id': 1, 'pred_instances': {'bboxes': torch.rand(3, 4)}}]
    mmengine.dump(predictions, tmp_path / 'out.pkl')
    found = mmengine.load(tmp_path / 'out.pkl')
    expected = predictions[0]['pred_instances']['bboxes']
    assert torch.equal(found[0]['pred_instances']['bboxes'], expected)


def test_yaml(tmp_path):
    path, trace = tmp_path / 'a.yaml', tmp_path / 'ran'
    mmengine.dump(dict(a=(1, [2.5, None]), b='text'), path)
    assert mmengine.load(path) == dict(a=(1, [2.5, None]), b='text')
    path.write_text(f'a: !!python/object/apply:os.system ["touch {trace}"]\n')
    for read in (mmengine.load, lambda file: Config.fromfile(str(file))):
        with pytest.raises(UnsafeFileError, match='python/object/apply:os.system'):
            read(path)
    assert not trace.exists()


def test_commands_read_as_data(tmp_path):
    install_safe_files(trust=True)
    config = write_config(tmp_path, 'files.py')
    for more, safe in (([], True), (['--trust-checkpoint'], False)):
        train_module.load_config(train_module.parse_args([config, *more]))
        kind = type(file_handlers['pkl']).__name__
        assert kind == ('SafePickleHandler' if safe else 'PickleHandler')
