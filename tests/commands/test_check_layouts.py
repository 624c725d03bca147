"""`mmmix check` on COCO and YOLO data, on photographs EXIF turns, and a teacher."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from PIL import Image

from mmmix.apis.own_data import weights
from mmmix.apis.run_checks import batch
from mmmix.commands import init
from mmmix.commands.check import main
from tests.apis.own_data.folders import (
    WRITERS,
    stem_of,
    voc_xml,
    write_image,
    write_voc,
)


@pytest.fixture(autouse=True)
def _here_and_offline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'is_reachable', lambda url: False)


@pytest.fixture
def _no_model(monkeypatch):
    monkeypatch.setattr(batch, 'build_model', lambda cfg, folder: (None, []))


def checked(capsys, *options):
    """The exit code, and what was found by level."""
    capsys.readouterr()
    code = main(['mine.py', '--json', *options])
    found = json.loads(capsys.readouterr().out)['findings']
    return code, {
        level: '\n'.join(
            f'{item["check"]}: {item["text"]}'
            for item in found
            if item['level'] == level
        )
        for level in ('ok', 'warning', 'FAULT')
    }


@pytest.mark.usefixtures('_no_model')
@pytest.mark.parametrize('kind', WRITERS)
def test_what_init_writes_is_sound(kind, tmp_path, capsys):
    WRITERS[kind](tmp_path / 'mine')
    init.main(['mine'])
    code, texts = checked(capsys)
    assert (code, texts['FAULT']) == (0, '')
    assert '10 images, 10 objects: cat 7, big dog 3' in texts['ok']


@pytest.mark.usefixtures('_no_model')
def test_names_of_a_split_that_are_no_classes_are_told(tmp_path, capsys):
    root = write_voc(tmp_path / 'mine', lists=True)
    init.main(['mine'])
    (root / f'Annotations/{stem_of(11)}.xml').write_text(voc_xml('bird'))
    code, texts = checked(capsys)
    expected = "val has objects of 'bird', which are no classes of the config"
    assert (code, texts['warning'].count(expected)) == (0, 1)
    # dropped from both, as in a training on some of the classes
    (root / f'Annotations/{stem_of(1)}.xml').write_text(voc_xml('bird'))
    assert expected not in checked(capsys)[1]['warning']


@pytest.mark.usefixtures('_no_model')
def test_categories_in_another_order_are_a_fault(tmp_path, capsys):
    root = WRITERS['coco'](tmp_path / 'mine')
    init.main(['mine'])
    path = root / 'labels.mmmix_val.json'
    content = json.loads(path.read_text())
    content['categories'].reverse()
    path.write_text(json.dumps(content))
    code, texts = checked(capsys)
    assert code == 1
    assert 'classes would be swapped' in texts['FAULT']


@pytest.mark.usefixtures('_no_model')
def test_an_id_beyond_the_names_is_a_fault(tmp_path, capsys):
    root = WRITERS['yolo'](tmp_path / 'mine')
    init.main(['mine'])
    (root / 'labels' / f'{stem_of(4)}.txt').write_text('5 .5 .5 .1 .1')
    code, texts = checked(capsys)
    assert code == 1
    assert f'{stem_of(4)}.txt, line 1: the class is 5' in texts['FAULT']


@pytest.mark.usefixtures('_no_model')
def test_a_turned_photograph_is_told_from_a_wrong_one(tmp_path, capsys):
    root = write_voc(tmp_path / 'mine', lists=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = root / 'JPEGImages' / f'{stem_of(0)}.png'
    # The boxes are for the image as stored: loading turns it back.
    Image.open(path).save(path, exif=exif)
    init.main(['mine'])
    code, texts = checked(capsys)
    assert code == 0
    assert '1 are turned by EXIF' in texts['ok']
    # The boxes are for neither: somebody rescaled the image.
    xml = root / 'Annotations' / f'{stem_of(0)}.xml'
    xml.write_text(voc_xml('cat', (960, 640)))
    code, texts = checked(capsys)
    assert code == 1
    assert 'its annotation says 960 x 640' in texts['FAULT']


def test_a_teacher_makes_its_step_too(tmp_path, capsys):
    write_voc(tmp_path / 'mine', lists=True)
    for number in range(3):
        write_image(tmp_path / 'bare' / f'{number}.jpg', 100 + number)
    options = ['--detector', 'yolov3', '--size', '64', '--batch-size', '4']
    init.main(['mine', '--unlabelled', 'bare', '--mix', 'boxmix', *options])
    code, texts = checked(capsys, '--no-pictures')
    assert (code, texts['FAULT']) == (0, '')
    assert '3 images without labels' in texts['ok']
    assert 'a teacher mixes inside its own step' in texts['ok']
    burn_in = Config.fromfile('mine.py').custom_hooks[3]['burn_in']
    first, _, later = texts['ok'].partition(f'loss, from iteration {burn_in} on: ')
    assert 'loss: loss' in first
    assert 'sup_loss_conf' in first
    assert 'unsup_' not in first
    assert 'unsup_loss_conf' in later
    assert '3 images are few' in texts['warning']


@pytest.mark.parametrize('option', ['--unlabelled', '--target'])
def test_weights_of_a_detector_are_those_of_a_teacher(option, tmp_path, capsys):
    write_voc(tmp_path / 'mine', lists=True)
    write_image(tmp_path / 'bare' / 'a.jpg', 100)
    init.main(['mine', option, 'bare', '--batch-size', '4'])
    cfg = Config.fromfile('mine.py')
    detector = MODELS.build(cfg.model).student
    torch.save(dict(state_dict=detector.state_dict()), 'plain.pth')
    torch.save(dict(state_dict=dict(other=torch.zeros(1))), 'other.pth')
    count = len(MODELS.build(cfg.model).state_dict())
    for name, level, told in (
        ('plain', 'ok', f'{2 * len(detector.state_dict())} of {count} tensors'),
        ('other', 'FAULT', 'other.pth has nothing for this'),
    ):
        cfg.load_from = f'{name}.pth'
        cfg.dump('mine.py')
        _, texts = checked(capsys, '--no-pictures', '--no-batch')
        assert f'weights: {told}' in texts[level]


@pytest.mark.parametrize(
    ('line', 'told'),
    [
        ("val_dataloader.update(sampler=dict(type='InfiniteSampler'))", 'without end'),
        ('train_dataloader.update(batch_size=9)', 'makes no batch of 8 images'),
    ],
)
def test_what_a_training_refuses_is_a_fault(line, told, tmp_path, capsys):
    write_voc(tmp_path / 'mine', lists=True)
    small = ['--detector', 'ssd160-lite0', '--weights', 'none', '--batch-size', '2']
    init.main(['mine', *small])
    with open('mine.py', 'a') as file:
        file.write(f'{line}\n')
    code, texts = checked(capsys, '--no-pictures')
    assert code == 1
    assert told in texts['FAULT']


@pytest.mark.parametrize(('top', 'told'), [(4000, True), (65535, False)])
def test_images_of_16_bits_that_use_few_are_told(top, told, tmp_path, capsys):
    root = write_voc(tmp_path / 'mine', lists=True)
    for path in (root / 'JPEGImages').iterdir():
        pixels = cv2.imread(str(path)).astype(np.uint16) * (top // 255)
        path.write_bytes(cv2.imencode('.png', pixels)[1])
    init.main(['mine'])
    code, texts = checked(capsys, '--no-batch')
    assert code == 0
    assert ('8 of 8 have 16 bits' in texts['warning']) == told


def test_without_a_config_the_stack_alone(tmp_path, capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert 'ok       ops of mmcv: run on cpu' in out
    assert out.splitlines()[-2].endswith('ready to train')
    assert not list(Path(tmp_path).iterdir())
