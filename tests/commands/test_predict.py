"""Detections of a folder, as written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image

from mmmix.apis.checkpoints.best import best_checkpoint
from mmmix.apis.checkpoints.resume import begin_run
from mmmix.commands import predict as command
from mmmix.commands.predict import main
from mmmix.datasets.transforms import CheckedLoadImageFromFile

BOXES = torch.tensor([[4.0, 8.0, 20.0, 24.0], [0.0, 0.0, 32.0, 40.0]])


class Finder:
    """A detector that finds the same two boxes everywhere."""

    classes = ('cat', 'dog')

    def __init__(self):
        self.load = CheckedLoadImageFromFile()

    def read_image(self, info):
        return self.load(dict(info))['img']


@pytest.fixture(autouse=True)
def _finder(monkeypatch, tmp_path):
    def find(detector, images, infos, batch_size):
        assert [info['height'] for info in infos] == [len(image) for image in images]
        found = InstanceData(
            bboxes=BOXES, labels=torch.tensor([1, 0]), scores=torch.tensor([0.9, 0.2])
        )
        return [DetDataSample(pred_instances=found) for _ in images]

    monkeypatch.setattr(command, 'load_detector', lambda *args, **_: Finder())
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


def test_a_lower_threshold_and_one_format(tmp_path, monkeypatch):
    wanted = []

    def load(*args, score_thr, **_):
        wanted.append(score_thr)
        return Finder()

    monkeypatch.setattr(command, 'load_detector', load)
    main(['in/a.png', 'x.py', 'x.pth', '--score-thr', '0.1', '--write', 'yolo'])
    written = [p.name for p in (tmp_path / 'predictions').rglob('*') if p.is_file()]
    assert sorted(written) == ['a.txt', 'data.yaml']
    label = tmp_path / 'predictions' / 'yolo' / 'labels' / 'a.txt'
    assert len(label.read_text().splitlines()) == 2
    assert wanted == [0.1]  # else the detector itself would drop some


def spoil(folder):
    """Put images that cannot be read between those that can."""
    (folder / 'a2.jpg').write_text('text')
    (folder / 'b.png').write_bytes((folder / 'a.png').read_bytes()[:-30])
    (folder / 'c.bmp').touch()
    Image.new('F', (32, 40)).save(folder / 'deep' / 'a.tif')
    (folder / 'z.webp').symlink_to('nowhere')


@pytest.mark.parametrize('batch_size', ['1', '3'])
def test_images_that_cannot_be_read_are_skipped_and_named(tmp_path, batch_size):
    spoil(tmp_path / 'in')
    with pytest.raises(ValueError, match='5 of 7 images cannot be read') as caught:
        main(['in', 'x.py', 'x.pth', '--batch-size', batch_size])
    text = str(caught.value)
    for name in ('a2.jpg', 'b.png', 'c.bmp', 'deep/a.tif', 'z.webp'):
        assert text.count(f'in/{name}') == 1
    assert 'b.png is truncated: ' in text
    assert 'annotation list' not in text
    assert 'data_root' not in text
    out = tmp_path / 'predictions'
    content = json.loads((out / 'coco.json').read_text())
    names = [image['file_name'] for image in content['images']]
    assert names == ['a.png', 'deep/b.jpg']
    assert [ann['image_id'] for ann in content['annotations']] == [1, 2]
    for part in ('pictures', 'yolo/labels'):
        files = [p for p in (out / part).rglob('*') if p.is_file()]
        assert sorted(path.stem for path in files) == ['a', 'b']


def test_nothing_is_written_where_no_image_can_be_read(tmp_path):
    (tmp_path / 'bad').mkdir()
    (tmp_path / 'bad' / 'a.png').touch()
    with pytest.raises(ValueError, match='1 of 1 images'):
        main(['bad', 'x.py', 'x.pth'])
    assert not (tmp_path / 'predictions').exists()


def test_other_errors_are_not_taken_for_unreadable_images(monkeypatch):
    def fail(*args):
        raise ValueError('of the model')

    monkeypatch.setattr(command, 'predict', fail)
    with pytest.raises(ValueError, match=r'^of the model$'):
        main(['in', 'x.py', 'x.pth'])

    def exhausted(*args):
        raise MemoryError

    monkeypatch.setattr(Finder, 'read_image', exhausted)
    with pytest.raises(MemoryError):
        main(['in', 'x.py', 'x.pth'])


def test_what_cannot_be_written_is_refused_before_the_model_is_loaded(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(command, 'load_detector', None)
    (tmp_path / 'taken').touch()
    for out in ('taken', 'taken/deeper'):
        with pytest.raises(NotADirectoryError, match='taken is no folder'):
            main(['in', 'x.py', 'x.pth', '--out', out])
    (tmp_path / 'out' / 'coco.json').mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=r'coco\.json is a folder'):
        main(['in', 'x.py', 'x.pth', '--out', 'out', '--write', 'coco'])
    (tmp_path / 'in').rename(tmp_path / 'pictures')
    with pytest.raises(ValueError, match=r'a\.png is an image to detect on'):
        main(['pictures', 'x.py', 'x.pth', '--out', '.'])
    Image.new('RGB', (32, 40)).save(tmp_path / 'pictures' / 'a.tif')
    with pytest.raises(ValueError, match=r'a\.tif and a\.png differ in their ending'):
        main(['pictures', 'x.py', 'x.pth'])


@pytest.mark.parametrize('out', ['predictions', 'in/mine', 'in'])
def test_a_second_run_does_not_detect_on_the_pictures_of_the_first(
    tmp_path, monkeypatch, out
):
    folder = 'in'
    if out == 'predictions':
        monkeypatch.chdir(tmp_path / 'in')
        folder = '.'
    for _ in range(2):
        main([folder, 'x.py', 'x.pth', '--out', out])
    content = json.loads(Path(out, 'coco.json').read_text())
    names = [image['file_name'] for image in content['images']]
    assert names == ['a.png', 'deep/b.jpg']


def test_the_checkpoint_is_the_best_else_the_last(tmp_path):
    with pytest.raises(FileNotFoundError, match='mmmix train some/x.py'):
        best_checkpoint('work_dirs/x', 'some/x.py')
    folder = tmp_path / 'work_dirs' / 'x'
    folder.mkdir(parents=True)
    torch.save({}, folder / 'epoch_2.pth')
    # A name of the folder that this one was copied from.
    (folder / 'last_checkpoint').write_text('elsewhere/x/epoch_2.pth')
    assert best_checkpoint('work_dirs/x', 'some/x.py') == 'work_dirs/x/epoch_2.pth'
    for epoch in (10, 9):
        (folder / f'best_mAP_epoch_{epoch}.pth').touch()
    assert (
        best_checkpoint('work_dirs/x', 'some/x.py')
        == 'work_dirs/x/best_mAP_epoch_10.pth'
    )


def test_the_folder_of_the_training_is_that_of_the_config(tmp_path, capsys):
    (tmp_path / 'x.py').write_text("work_dir = 'runs/first'\n")
    last = tmp_path / 'runs/first/epoch_2.pth'
    last.parent.mkdir(parents=True)
    torch.save({}, last)
    main(['in', 'x.py', '--write', 'coco'])
    assert 'runs/first/epoch_2.pth: 2 classes' in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match='runs/other has no checkpoint'):
        main(['in', 'x.py', '--cfg-options', 'work_dir=runs/other'])


def test_the_best_of_an_earlier_run_is_passed_over(tmp_path, capfd):
    """Epoch 11 of a run whose folder a new one was trained into."""
    folder = tmp_path / 'work_dirs' / 'x'
    folder.mkdir(parents=True)
    for epoch in (8, 11):
        (folder / f'best_mAP_epoch_{epoch}.pth').touch()
    info = dict(best_ckpt='elsewhere/x/best_mAP_epoch_8.pth', best_score=0.5)
    hub = dict(runtime_info=info)
    torch.save(dict(state_dict={}, message_hub=hub), folder / 'epoch_12.pth')
    (folder / 'last_checkpoint').write_text('elsewhere/x/epoch_12.pth')
    assert (
        best_checkpoint('work_dirs/x', 'some/x.py')
        == 'work_dirs/x/best_mAP_epoch_8.pth'
    )
    assert 'epoch_12' not in ''.join(capfd.readouterr())
    (folder / 'epoch_12.pth').write_bytes(b'cut short')
    assert (
        best_checkpoint('work_dirs/x', 'some/x.py')
        == 'work_dirs/x/best_mAP_epoch_11.pth'
    )


def test_a_run_that_has_no_best_one_yet(tmp_path):
    folder = tmp_path / 'work_dirs' / 'x'
    folder.mkdir(parents=True)
    (folder / 'best_mAP_epoch_8.pth').touch()
    begin_run(folder, None)
    with pytest.raises(FileNotFoundError, match='no checkpoint of its last run'):
        best_checkpoint('work_dirs/x', 'some/x.py')
    torch.save({}, folder / 'epoch_1.pth')
    assert best_checkpoint('work_dirs/x', 'some/x.py') == 'work_dirs/x/epoch_1.pth'


def test_bad_arguments_are_refused(capsys):
    for arguments, said in (
        (['--score-thr', '2'], "--score-thr: expected a number from 0 to 1, got '2'"),
        (
            ['--score-thr', 'nan'],
            "--score-thr: expected a number from 0 to 1, got 'nan'",
        ),
        (['--batch-size', '0'], '--batch-size: expected a whole number of at least 1'),
    ):
        with pytest.raises(SystemExit):
            command.parse_args(['in', 'x.py', *arguments])
        assert said in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match='no folder'):
        main(['nowhere', 'x.py', 'x.pth'])
