"""A classifier trained and tested by the commands: what they say and draw."""

from __future__ import annotations

import json
import pickle
import re

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmengine.registry import init_default_scope

from mmmix.apis.configs.tta import use_tta
from mmmix.commands import (
    benchmark_data,
    benchmark_step,
    browse_mix,
    count_ops,
    test,
    train,
)
from tests.configs.config_cases import CONFIGS

from .tiny_data import write_glyphs

LEAF = str(CONFIGS / 'classification/preact-r18_glyphs_cutmix.py')
OTHER = LEAF.replace('_cutmix', '_mixup')
OPTIONS = [
    'model.backbone.base_channels=2',
    'model.head.in_channels=16',
    'train_cfg.max_epochs=1',
    *(f'{split}_dataloader.num_workers=0' for split in ('train', 'val', 'test')),
]


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The working directory of a training of one epoch."""
    init_default_scope('mmpretrain')
    root = tmp_path_factory.mktemp('run')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_glyphs(root / 'data/glyphs')
        for label in range(10):
            # The same name in each folder of a class.
            image = root / f'data/glyphs/test/{label}/{label}.png'
            image.rename(image.with_name('same.png'))
        train.main([LEAF, '--cfg-options', *OPTIONS])
    return root


@pytest.fixture
def tested(trained, monkeypatch):
    """Tests the trained model with these options; the metrics."""
    monkeypatch.chdir(trained)

    def run(name, *options, config=LEAF):
        folder = trained / name
        command = [config, 'work_dirs/preact-r18_glyphs_cutmix/epoch_1.pth', *options]
        test.main([*command, '--work-dir', name, '--cfg-options', *OPTIONS])
        (metrics,) = folder.glob('*/*.json')
        return json.loads(metrics.read_text()), metrics.parent

    return run


def test_the_page_of_a_run_has_its_accuracy_and_its_mixer(trained):
    report = trained / 'work_dirs/preact-r18_glyphs_cutmix/report'
    page = (report / 'index.html').read_text()
    assert re.findall(r'<h2 id="(\w+)"', page) == ['metrics', 'training', 'mixing']
    assert 'ClsCutMixBatch: of classifiers it is not counted' in page
    curves = json.loads((report / 'record.json').read_bytes())['curves']
    assert 'accuracy/top1' in curves
    assert 'train/loss' in curves


def test_each_image_has_a_picture_of_its_own(tested):
    _, folder = tested('shown', '--show-dir', 'pictures')
    found = sorted(folder.glob('pictures/**/*.png'))
    names = [path.relative_to(folder).as_posix() for path in found]
    assert names == [f'pictures/{label}/same.png_0.png' for label in range(10)]
    pictures = [cv2.imread(str(path)) for path in found]
    assert all(picture.std() > 10 for picture in pictures)
    assert any(not np.array_equal(pictures[0], picture) for picture in pictures[1:])


def test_augmented_tests_average_the_scores_of_an_image_and_its_mirror_image():
    cfg = Config.fromfile(LEAF)
    before = cfg.test_dataloader.dataset.pipeline
    use_tta(cfg)
    assert cfg.model.type == 'AverageClsScoreTTA'
    *start, last = cfg.test_dataloader.dataset.pipeline
    assert start == before[:-1]
    flips, pack = last['transforms']
    assert [flip['prob'] for flip in flips] == [0.0, 1.0]
    assert pack == [before[-1]]


def test_the_command_takes_the_averages(tested, tmp_path):
    """Of the first image, with the same weights."""
    scores = {}
    for name, option in (('plain', []), ('both', ['--tta'])):
        out = tmp_path / f'{name}.pkl'
        metrics, _ = tested(name, *option, '--out', str(out))
        assert 'accuracy/top1' in metrics
        scores[name] = pickle.loads(out.read_bytes())[0]['pred_score']
    mirror = Config.fromfile(LEAF)
    mirror.test_dataloader.dataset.pipeline.insert(
        -1, dict(type='RandomFlip', prob=1.0)
    )
    mirror.dump(tmp_path / 'mirror.py')
    out = tmp_path / 'mirror.pkl'
    tested('mirror', '--out', str(out), config=str(tmp_path / 'mirror.py'))
    other = pickle.loads(out.read_bytes())[0]['pred_score']
    assert not torch.equal(other, scores['plain'])
    torch.testing.assert_close(scores['both'], (scores['plain'] + other) / 2)


@pytest.mark.parametrize('command', [train, test])
def test_their_help_speaks_of_classifiers_too(command, capsys):
    with pytest.raises(SystemExit):
        command.parse_args(['--help'])
    assert 'or a classifier of mmpretrain' in ' '.join(capsys.readouterr().out.split())


INSTEAD = {
    browse_mix: (['--num-batches', '1'], 'mmmix check counts the labels'),
    benchmark_data: (['--workers', '0'], 'data_time in the log'),
    benchmark_step: ([OTHER], 'take mmmix benchmark --data config'),
    count_ops: ([OTHER], 'take mmmix benchmark --data config'),
}


@pytest.mark.parametrize('command', INSTEAD)
def test_commands_for_detectors_say_what_to_use_instead(command, trained, monkeypatch):
    monkeypatch.chdir(trained)
    options, text = INSTEAD[command]
    with pytest.raises(ValueError, match='is of a classifier .ImageClassifier') as said:
        command.main([LEAF, *options])
    assert text in str(said.value)


def test_what_is_to_be_used_instead_times_its_step(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    options = ['--data', 'config', '--rounds', '1', '--warmups', '0', '--workers', '0']
    benchmark_step.main([LEAF, OTHER, *options, '--cfg-options', *OPTIONS[:2]])
    assert 'preact-r18_glyphs_mixup' in capsys.readouterr().out
