"""Loading a small VOC-format data set with each way of mixing."""

from __future__ import annotations

import json
import runpy

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS

import mmmix
from mmmix.apis.configs.config_reading import read_config
from mmmix.studies.speed.loading import (
    AUGMENTS,
    METHODS,
    LoadingRound,
    augmentation,
    dataset_config,
)
from mmmix.studies.speed.training_step import ConfigBatches

TOOL = 'mmmix.commands.benchmark_data'
XML = """<annotation><size><width>64</width><height>48</height></size>
<object><name>two</name><difficult>0</difficult><bndbox><xmin>11</xmin>
<ymin>6</ymin><xmax>40</xmax><ymax>30</ymax></bndbox></object></annotation>"""
SIZE = (96, 128)
COUNT = 6


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Six images of 64 x 48 px, each of one grey."""
    folder = tmp_path_factory.mktemp('voc')
    for name in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (folder / name).mkdir(parents=True)
    names = [f'{index:03d}' for index in range(COUNT)]
    (folder / 'ImageSets/Main/train.txt').write_text('\n'.join(names))
    for index, name in enumerate(names):
        image = np.full((48, 64, 3), 40 * index, np.uint8)
        cv2.imwrite(str(folder / f'JPEGImages/{name}.jpg'), image)
        (folder / f'Annotations/{name}.xml').write_text(XML)
    return folder


@pytest.fixture
def cfg(root):
    options = {'train_dataloader.dataset.data_root': str(root)}
    return read_config(mmmix.config_path('demo/ssd_digits.py'), options)


def build(cfg, method, augment='minimal'):
    dataset = cfg.train_dataloader.dataset
    pipeline = augmentation(dataset, augment, SIZE)
    return DATASETS.build(dataset_config(dataset, method, pipeline))


@pytest.mark.parametrize('augment', AUGMENTS)
@pytest.mark.parametrize('method', METHODS)
def test_all_methods_end_at_one_size(cfg, method, augment):
    data = build(cfg, method, augment)
    assert len(data) == COUNT
    item = data[0]
    # The demo's own pipeline ends at 160 x 160.
    size = (160, 160) if augment == 'config' else SIZE
    assert item['inputs'].shape == (3, *size)
    assert item['data_samples'].img_shape == size


def test_where_mixing_stands(cfg):
    dataset = cfg.train_dataloader.dataset
    pipeline = augmentation(dataset, 'ssd', SIZE)
    load = ['LoadImageFromFile', 'LoadAnnotations']
    geometry, colour = ['Expand', 'MinIoURandomCrop', 'Resize'], 'PhotoMetricDistortion'
    pack = 'PackDetInputs'
    full = [*load, *geometry, 'RandomFlip', colour]
    for method, inner, outer in (
        ('mixbatch', None, [*full, pack]),
        ('none', None, [*full, pack]),
        ('miximage', full, ['MixImage', 'PackMixInputs']),
        ('mixup', full, ['MixUp', pack]),
        ('mixup-yolox', load, [*geometry, 'MixUp', 'RandomFlip', colour, pack]),
    ):
        config = dataset_config(dataset, method, pipeline)
        assert [step['type'] for step in config['pipeline']] == outer
        if inner is None:
            assert config['type'] == dataset['type']
        else:
            assert config['type'] == 'MultiImageMixDataset'
            assert [step['type'] for step in config['dataset']['pipeline']] == inner


def test_wrappers_are_taken_off(cfg):
    plain = dict(cfg.train_dataloader.dataset)
    joined = {'type': 'ConcatDataset', 'datasets': [plain, plain]}
    wrapped = {'type': 'RepeatDataset', 'times': 2, 'dataset': joined}
    pipeline = augmentation(wrapped, 'config', SIZE)
    assert pipeline == plain['pipeline'][:-1]
    data = DATASETS.build(dataset_config(wrapped, 'none', pipeline))
    assert len(data) == 2 * COUNT
    plain['pipeline'] = plain['pipeline'][:2]
    with pytest.raises(ValueError, match='ends with PackDetInputs'):
        augmentation(plain, 'config', SIZE)


def test_unmixed_images_are_resized_only(cfg):
    item = build(cfg, 'none')[3]
    assert (item['inputs'] == 120).all()
    box = item['data_samples'].gt_instances.bboxes.tensor[0].tolist()
    # Twice the pixels; the flip mirrors it at the width of 128. VOC counts from 1.
    assert box in ([20.0, 10.0, 78.0, 58.0], [50.0, 10.0, 108.0, 58.0])


@pytest.mark.parametrize('method', ['mixup', 'mixup-yolox'])
def test_mmdet_mixup_blends_in_equal_parts(cfg, method):
    data = build(cfg, method)
    # Greys are multiples of 40 and the pad is 114: half of each, rounded down.
    levels = {(40 * 3 + other) // 2 for other in [*range(0, 240, 40), 114]}
    for _ in range(8):
        values = set(data[3]['inputs'].unique().tolist())
        # Resizing across the edge of the partner yields values in between.
        assert values & levels
        assert min(values) >= 60
        assert max(values) <= 160


@pytest.mark.parametrize(
    ('method', 'workers', 'expected'),
    [('mixbatch', 0, 1.0), ('none', 0, 0.0), ('mixup', 2, 0.0)],
)
def test_a_round_loads_all_batches(cfg, method, workers, expected):
    loader = LoadingRound(
        cfg.train_dataloader.dataset,
        cfg.model.data_preprocessor,
        method,
        augmentation(cfg.train_dataloader.dataset, 'minimal', SIZE),
        batch_size=4,
        batches=3,
        workers=workers,
    )
    for index in range(2):
        measured = loader(index)
        assert measured['samples'] == 12
        assert measured['mixed'] == 12 * expected
        assert measured['seconds'] > 0


def test_unknown_names_are_refused(cfg):
    with pytest.raises(ValueError, match='method among'):
        build(cfg, 'mosaic')
    with pytest.raises(ValueError, match='augment among'):
        build(cfg, 'none', 'heavy')


def test_batches_of_a_config_never_end(cfg):
    batches = ConfigBatches(cfg, batch_size=4)
    seen = [len(batches(index)['inputs']) for index in range(3)]
    assert seen == [4, 4, 4]
    with pytest.raises(ValueError, match='no batch of 99'):
        ConfigBatches(cfg, batch_size=99)


def test_the_tool_compares_all_methods(root, tmp_path, capsys):
    main = runpy.run_module(TOOL)['main']
    out = tmp_path / 'data.json'
    options = (
        '--augment minimal --size 96 128 --batch-size 3 --batches 1 --workers 0 '
        '--rounds 3 --warmups 1 '
        f'--goals mixup=0.01 none=0.5 --out {out} '
        f'--cfg-options train_dataloader.dataset.data_root={root}'
    )
    config = mmmix.config_path('demo/ssd_digits.py')
    summaries = main([config, *options.split()])
    assert list(summaries) == list(METHODS)
    assert summaries['mixbatch']['mixed_share'] == 1.0
    assert summaries['none']['mixed_share'] == 0.0
    assert summaries['mixup']['mixed_share'] is None
    saved = json.loads(out.read_text())
    assert saved['summary'] == summaries
    ratios = [
        record['mixup']['seconds'] / record['mixbatch']['seconds']
        for record in saved['rounds']
    ]
    assert summaries['mixup']['ratio']['median'] == pytest.approx(sorted(ratios)[1])
    assert '(goal 0.01)' in capsys.readouterr().out
    with pytest.raises(ValueError, match='--goals names'):
        main([config, *options.split(), '--methods', 'none'])
