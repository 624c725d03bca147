"""The two configs for one's own data in docs/training.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from .config_cases import ROOT, load


@pytest.fixture
def example(tmp_path):
    """Loads the page's Python block that has a given base."""

    def load_block(base: str) -> Config:
        blocks = (ROOT / 'docs/training.md').read_text().split('```python\n')[1:]
        start = f"_base_ = 'mmmix::{base}'"
        (text,) = (block.split('```')[0] for block in blocks if start in block)
        lines = [line for line in text.splitlines() if not line.startswith('#')]
        assert len(lines) <= 10
        path = Path(tmp_path / 'own.py')
        path.write_text(text)
        return Config.fromfile(path)

    return load_block


def test_voc_format(example):
    cfg, stock = example('ssd300_voc_boxmix.py'), load('ssd300_voc_boxmix.py')
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
    cfg, stock = example('ssd300_coco_boxmix.py'), load('ssd300_coco_boxmix.py')
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
