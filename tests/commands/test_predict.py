"""Detections of a folder, as written."""

from __future__ import annotations

import json

import mmcv
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image

from mmmix.commands import predict as command
from mmmix.commands.predict import best_checkpoint, main

BOXES = torch.tensor([[4.0, 8.0, 20.0, 24.0], [0.0, 0.0, 32.0, 40.0]])


class Finder:
    """A detector that finds the same two boxes everywhere."""

    classes = ('cat', 'dog')

    def read_image(self, info):
        return mmcv.imread(info['img_path'])


@pytest.fixture(autouse=True)
def _finder(monkeypatch, tmp_path):
    def find(detector, images, infos, batch_size):
        assert [info['height'] for info in infos] == [len(image) for image in images]
        found = InstanceData(
            bboxes=BOXES, labels=torch.tensor([1, 0]), scores=torch.tensor([0.9, 0.2])
        )
        return [DetDataSample(pred_instances=found) for _ in images]

    monkeypatch.setattr(command, 'load_detector', lambda *args: Finder())
    monkeypatch.setattr(command, 'predict', find)
    monkeypatch.chdir(tmp_path)
    for name in ('in/a.png', 'in/deep/b.jpg'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (32, 40)).save(path)


def test_all_formats_hold_the_boxes_above_the_threshold(tmp_path, capsys):
    main(['in', 'x.py', 'x.pth', '--batch-size', '1'])
    content = json.loads((tmp_path / 'predictions' / 'coco.json').read_text())
    assert [image['file_name'] for image in content['images']] == [
        'a.png',
        'deep/b.jpg',
    ]
    assert [ann['bbox'] for ann in content['annotations']] == [[4, 8, 16, 16]] * 2
    label = tmp_path / 'predictions' / 'yolo' / 'labels' / 'deep' / 'b.txt'
    assert label.read_text() == '1 0.375000 0.400000 0.500000 0.400000\n'
    picture = np.asarray(Image.open(tmp_path / 'predictions' / 'pictures' / 'a.png'))
    assert picture.max() > 0  # the frame on the black image
    assert '2 objects' in capsys.readouterr().out


def test_a_lower_threshold_and_one_format(tmp_path):
    main(['in/a.png', 'x.py', 'x.pth', '--score-thr', '0.1', '--write', 'yolo'])
    written = [p.name for p in (tmp_path / 'predictions').rglob('*') if p.is_file()]
    assert sorted(written) == ['a.txt', 'data.yaml']
    label = tmp_path / 'predictions' / 'yolo' / 'labels' / 'a.txt'
    assert len(label.read_text().splitlines()) == 2


def test_the_checkpoint_is_the_best_else_the_last(tmp_path):
    with pytest.raises(FileNotFoundError, match='mmmix train some/x.py'):
        best_checkpoint('some/x.py')
    folder = tmp_path / 'work_dirs' / 'x'
    folder.mkdir(parents=True)
    (folder / 'epoch_2.pth').touch()
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
    assert best_checkpoint('some/x.py') == str(folder / 'epoch_2.pth')
    (folder / 'best_mAP_epoch_1.pth').touch()
    assert best_checkpoint('some/x.py') == 'work_dirs/x/best_mAP_epoch_1.pth'


def test_bad_arguments_are_refused(capsys):
    for arguments in (['--score-thr', '2'], ['--batch-size', '0']):
        with pytest.raises(SystemExit):
            command.parse_args(['in', 'x.py', *arguments])
    with pytest.raises(FileNotFoundError, match='no image'):
        main(['nowhere', 'x.py', 'x.pth'])
