"""`mmmix check` of classifiers."""

from __future__ import annotations

import json
import shutil

import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmmix.commands import check

from .tiny_data import write_glyphs

LEAF = 'mmmix::classification/preact-r18_glyphs_cutmix.py'
SMALL = ('model.backbone.base_channels=2', 'model.head.in_channels=16')


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_glyphs(tmp_path / 'data/glyphs')


def findings(capsys, *options, config=LEAF):
    """The exit code, and what is said at each level."""
    words = ['--cfg-options', *SMALL, *options]
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
