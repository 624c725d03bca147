"""The configs for one's own data in docs/: training, semi_supervised and methods."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmdet.registry import DATASETS
from mmengine.config import Config

from .config_cases import ROOT, load
from .tiny_data import IMAGES, moved, write_coco, write_image, write_voc


@pytest.fixture
def example(tmp_path):
    """Loads a page's Python block that has a given base."""

    def load_block(base: str, page: str = 'training', most: int = 10) -> Config:
        blocks = (ROOT / f'docs/{page}.md').read_text().split('```python\n')[1:]
        start = f"_base_ = '{base}'"
        (text,) = (block.split('```')[0] for block in blocks if start in block)
        lines = [line for line in text.splitlines() if not line.startswith('#')]
        assert len(lines) <= most
        path = Path(tmp_path / 'own.py')
        path.write_text(text)
        return Config.fromfile(path)

    return load_block


def test_voc_format(example):
    name = 'ssd300_voc_boxmix.py'
    cfg, stock = example(f'mmmix::{name}'), load(name)
    (train,) = cfg.train_dataloader.dataset.datasets
    assert train.ann_file == 'ImageSets/Main/train.txt'
    stock_train = stock.train_dataloader.dataset.datasets[0]
    assert train.pipeline == stock_train.pipeline
    for dataset in (train, cfg.val_dataloader.dataset, cfg.test_dataloader.dataset):
        assert dataset.type == 'VOCDataset'
        assert tuple(dataset.metainfo.classes) == ('cat', 'dog')
        assert dataset.data_prefix == dict(sub_data_root='')
    for name in ('val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        assert dataset.ann_file == f'ImageSets/Main/{name}.txt'
        assert dataset.pipeline == stock.val_dataloader.dataset.pipeline
    assert cfg.model.bbox_head.num_classes == 2
    (mixer,) = cfg.model.data_preprocessor.batch_augments
    assert mixer.supervision.type == 'BoxMix'


def test_coco_format(example):
    name = 'ssd300_coco_boxmix.py'
    cfg, stock = example(f'mmmix::{name}'), load(name)
    for name, file in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        dataset = cfg[f'{name}_dataloader'].dataset
        expected = stock[f'{name}_dataloader'].dataset
        assert dataset.type == 'CocoDataset'
        assert dataset.data_root + dataset.ann_file == f'data/mine/{file}.json'
        assert tuple(dataset.metainfo.classes) == ('cat', 'dog')
        assert dataset.pipeline == expected.pipeline
    assert cfg.test_evaluator.type == 'CocoStyleMetric'
    assert cfg.test_evaluator.ann_file == 'data/mine/val.json'
    assert cfg.model.bbox_head.num_classes == 2


def test_a_folder_of_labelled_and_one_of_other_images(example, tmp_path):
    base = 'semi/faster-rcnn_r50_voc07-voc12u_mean-teacher.py'
    cfg, stock = example(f'mmmix::{base}', 'semi_supervised', 26), load(base)
    for one in (cfg, stock):
        one.sets = one.train_dataloader.dataset.dataset.datasets
    assert [s.pipeline for s in cfg.sets] == [s.pipeline for s in stock.sets]
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.pipeline == stock.val_dataloader.dataset.pipeline
    assert cfg.model.detector.roi_head.bbox_head.num_classes == 2
    splits = {'train': 'a', 'val': 'b'}
    write_voc(tmp_path / 'mine', splits, ('cat', 'dog') * 2)
    (tmp_path / 'more').mkdir()
    for k in range(3):
        write_image(tmp_path / f'more/{k}.png', k)
    cfg = Config(moved(cfg.to_dict(), tmp_path))
    train = DATASETS.build(cfg.train_dataloader.dataset)
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert (len(train), len(val)) == (IMAGES + 3, IMAGES)
    assert train.metainfo['classes'] == val.metainfo['classes'] == ('cat', 'dog')
    labelled, view = train[0], train[IMAGES]
    assert labelled['data_samples']['sup'].gt_instances.labels.tolist() == [0]
    assert view['data_samples']['sup'] is None
    assert view['data_samples']['unsup_teacher'].img_path.endswith('more/0.png')


def test_mixing_in_the_dataset(example, tmp_path):
    (tmp_path / 'mine.py').write_text("_base_ = 'mmmix::ssd300_coco.py'\n")
    write_coco(tmp_path / 'coco', 'train2017')
    cfg = example('./mine.py', 'methods', 17)
    assert 'mix' not in cfg
    assert 'plain' not in cfg
    given = load('ssd300_coco.py').train_dataloader.dataset
    dataset = cfg.train_dataloader.dataset
    assert dataset.dataset.pipeline == given.pipeline[:-1]
    train = DATASETS.build(moved(dataset.to_dict(), tmp_path))
    assert len(train) == IMAGES
    sample = train[0]['data_samples']
    assert sum(sample.mix_weights) == pytest.approx(1)
    assert type(sample.mix_supervision).__name__ == 'LossMix'
    assert set(sample.gt_instances.mix_ids.tolist()) <= {0, 1}
