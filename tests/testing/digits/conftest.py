"""Scenes in memory, and a small data set on disk."""

from __future__ import annotations

import itertools

import pytest

from mmmix.testing.digits import CLASSES, DOMAINS, SPLITS, DigitsSettings
from mmmix.testing.digits.generate import generate
from mmmix.testing.digits.scene import make_scene


@pytest.fixture(scope='session')
def counts():
    """Images per split of ``written``."""
    return {'train': 6, 'val': 3, 'test': 4}


@pytest.fixture(scope='session')
def written(tmp_path_factory, counts):
    """A source-domain data set with COCO files, seed 0; read only."""
    out = tmp_path_factory.mktemp('data') / 'digits'
    assert generate(DigitsSettings(**counts), out, coco=True, progress=False)
    return out


@pytest.fixture(scope='session')
def scenes():
    """Twenty scenes of every split of both domains."""
    return {
        (domain, split): [
            make_scene(DigitsSettings(domain), split, index) for index in range(20)
        ]
        for domain, split in itertools.product(DOMAINS, SPLITS)
    }


@pytest.fixture(scope='session')
def contents():
    """A function that gives all files of a folder, as bytes."""

    def read(folder):
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob('*')
            if path.is_file()
        }

    return read


@pytest.fixture(scope='session')
def voc(written):
    """The written splits as mmdet reads them; no split has an image left out."""
    from mmdet.datasets import XMLDataset

    return {
        split: XMLDataset(
            data_root=str(written),
            ann_file=f'ImageSets/Main/{split}.txt',
            data_prefix={'sub_data_root': ''},
            metainfo={'classes': CLASSES},
            filter_cfg={'filter_empty_gt': True, 'min_size': 32},
        )
        for split in SPLITS
    }
