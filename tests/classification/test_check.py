"""`mmmix check` of classifiers."""

from __future__ import annotations

import json
import math
import shutil
import sys

import pytest
import torch
from PIL import Image

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
import mmpretrain

from mmmix.apis.run_checks.batch import _losses
from mmmix.apis.run_checks.words import OF_CLASSIFIER, OF_DETECTOR
from mmmix.commands import check

from .tiny_data import write_glyphs, write_image

LEAF = 'mmmix::classification/preact-r18_glyphs_cutmix.py'
SMALL = ('model.backbone.base_channels=2', 'model.head.in_channels=16')


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_glyphs(tmp_path / 'data/glyphs')


def findings(capsys, *options, config=LEAF):
    """The exit code, and what is said at each level."""
    flags = [one for one in options if one.startswith('--')]
    settings = [one for one in options if one not in flags]
    words = [*flags, '--cfg-options', *SMALL, *settings]
    code = check.main([config, '--no-pictures', '--json', *words])
    texts = {'FAULT': '', 'warning': '', 'ok': ''}
    for item in json.loads(capsys.readouterr().out)['findings']:
        texts[item['level']] += f'{item["check"]}: {item["text"]}\n'
    return code, texts


def test_a_sound_config_is_ready(capsys):
    code, texts = findings(capsys)
    assert (code, texts['FAULT']) == (0, '')
    assert 'train data: 10 images: 0 1, 1 1, 2 1, 3 1, 4 1, 5 1' in texts['ok']
    assert 'mixing: ClsCutMixBatch: ' in texts['ok']
    assert 'of 10 labels are of several classes' in texts['ok']


@pytest.mark.parametrize('part', ['head', 'data_preprocessor'])
def test_another_number_of_classes_is_named(part, capsys):
    code, texts = findings(capsys, f'model.{part}.num_classes=9')
    assert code == 1
    assert 'has 10 classes, and the model does not match' in texts['FAULT']
    assert f'model.{part}.num_classes=9' in texts['FAULT']


def test_a_data_set_that_is_not_there_is_a_finding(tmp_path, capsys):
    (tmp_path / 'data/cifar10').mkdir()
    config = 'mmmix::classification/preact-r18_cifar10_alignmix.py'
    code, texts = findings(capsys, config=config)
    assert code == 1
    assert 'Cannot find CIFAR10' in texts['FAULT']


def test_a_single_class_is_learned_by_doing_nothing(tmp_path, capsys):
    """The softmax of one score is 1, whatever the score."""
    for split in ('train', 'val', 'test'):
        for label in range(1, 10):
            shutil.rmtree(tmp_path / f'data/glyphs/{split}/{label}')
    one = [f'model.{part}.num_classes=1' for part in ('head', 'data_preprocessor')]
    code, texts = findings(capsys, *one)
    assert (code, texts['FAULT']) == (0, '')
    assert 'exactly 0, so that nothing is learned: loss 0' in texts['warning']


def test_a_head_that_loses_lam_is_a_finding(capsys):
    loss = ['type=LabelSmoothLoss', 'label_smooth_val=0.1', 'mode=multi_label']
    code, texts = findings(capsys, *[f'model.head.loss.{one}' for one in loss])
    assert code == 1
    assert 'batch: ClsCutMixBatch mixes labels, and head.loss' in texts['FAULT']


DETECTORS_WORDS = ('object', 'box', 'AP ', 'detect', 'mmmix init', 'stated size')


def test_every_line_speaks_of_images_labels_and_classes(tmp_path, capsys):
    shutil.rmtree(tmp_path / 'data/glyphs/train/3')
    (tmp_path / 'data/glyphs/train/3').mkdir()
    words = ['--cfg-options', *SMALL]
    assert check.main([LEAF, *words]) == 0
    # The stack and the device are looked at before there is a config.
    _, _, report = capsys.readouterr().out.partition('mmpretrain')
    for word in DETECTORS_WORDS:
        assert word not in report
    report = ' '.join(report.split())
    for text in (
        'train data: 9 images: 0 1, 1 1, 2 1, 4 1, 5 1, 6 1, 7 1, 8 1, 9 1 '
        '(data/glyphs/train)',
        'fewer than 20 images to train on: 3 (0), 9 (1), 8 (1)',
        'take the class out of all splits',
        "val has images of '3', and the training data has none: the accuracy on "
        'these images stays 0',
        'train images: 9 are there and whole',
        'take them out of one of the splits',
        'a checkpoint of mmpretrain',
    ):
        assert text in report


def test_the_version_of_mmpretrain_is_told(capsys):
    _, texts = findings(capsys, '--no-batch')
    assert f'stack: mmpretrain {mmpretrain.__version__}\n' in texts['ok']


def test_without_mmpretrain_it_is_said_how_to_install_it(tmp_path, capsys, monkeypatch):
    """Also of a config that does not import our family."""
    (tmp_path / 'own.py').write_text("default_scope = 'mmpretrain'\nmodel = dict()\n")
    monkeypatch.setitem(sys.modules, 'mmmix.classification', None)
    code, texts = findings(capsys, config='own.py')
    assert code == 1
    assert texts['FAULT'].startswith('stack: ')


def test_images_that_are_left_out_are_a_warning(tmp_path, capsys):
    write_image(tmp_path / 'data/glyphs/val/0/1.webp', 1)
    _, texts = findings(capsys, '--no-batch')
    assert (
        'val data: 1 images are left out for what their files end in: 1 of .webp'
        in texts['warning']
    )


def test_data_that_differ_are_told_by_images(tmp_path, capsys):
    for number in range(30):
        write_image(tmp_path / f'data/glyphs/train/0/a{number}.png', number)
        write_image(tmp_path / f'data/glyphs/val/1/b{number}.png', 99 + number)
    check.main([LEAF, '--no-batch', '--no-pictures', '--cfg-options', *SMALL])
    report = ' '.join(capsys.readouterr().out.split())
    assert 'val classes: their shares differ by 75% from those to train on' in report
    assert 'accuracy weighs all images alike' in report


@pytest.mark.parametrize(
    ('name', 'text'), [('zero', 'exactly 0'), ('nan', 'not finite')]
)
def test_a_loss_is_explained_in_the_words_of_its_model(name, text):
    terms = dict(loss=torch.tensor(dict(zero=0.0, nan=math.nan)[name]))
    for words in (OF_CLASSIFIER, OF_DETECTOR):
        (found,) = _losses('loss', terms, words)
        assert text in found.text
        assert found.fix == getattr(
            words, dict(zero='zero_loss', nan='infinite_loss')[name]
        )
        assert ('box' in found.fix) == (words is OF_DETECTOR)


def test_images_without_boxes_may_be_turned_or_mirrored(tmp_path, capsys):
    for label, orientation in ((0, 3), (1, 6)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f'data/glyphs/train/{label}/turned.jpg'
        Image.new('RGB', (32, 32), 'white').save(path, exif=exif)
    check.main([LEAF, '--no-batch', '--cfg-options', *SMALL])
    report = ' '.join(capsys.readouterr().out.split())
    assert 'ok train images: 2 are turned or mirrored by EXIF, and loaded so' in report
    assert 'upside down' not in report
