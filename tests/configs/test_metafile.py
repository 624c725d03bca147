"""The index of the leaves, as ``mim`` reads it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from .config_cases import ALL, CONFIGS, ROOT, gpus_and_batch

WRITER = ROOT / '.dev/write_metafile.py'


@pytest.fixture(scope='module')
def index() -> dict[str, list[dict[str, Any]]]:
    """What a reader of ``model-index.yml`` finds, imports included."""
    found: dict[str, list] = {'Collections': [], 'Models': []}
    top = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))
    assert set(top) == {'Import'}
    for name in top['Import']:
        part = yaml.safe_load((ROOT / name).read_text(encoding='utf-8'))
        for key, entries in part.items():
            found[key] += entries
    return found


def test_it_lists_every_leaf_once_and_nothing_else(index):
    listed = [model['Config'] for model in index['Models']]
    assert sorted(listed) == sorted(f'configs/{leaf}' for leaf in ALL)
    names = [model['Name'] for model in index['Models']]
    assert names == [Path(path).stem for path in listed]
    assert len(set(names)) == len(names)


def test_collections_are_used_and_known(index):
    names = [collection['Name'] for collection in index['Collections']]
    assert len(set(names)) == len(names)
    assert {model['In Collection'] for model in index['Models']} == set(names)
    for collection in index['Collections']:
        assert (ROOT / collection['README']).is_file()
        if collection['Name'] != 'Baseline':
            assert set(collection['Paper']) == {'Title', 'URL'}


def test_entries_say_what_the_leaves_say(index):
    for model in index['Models']:
        leaf = model['Config'].removeprefix('configs/')
        gpus, batch = gpus_and_batch(leaf)
        metadata = model['Metadata']
        assert metadata['Training Resources'].split()[0] == str(gpus)
        images = metadata['Images per GPU'].split(' + ')
        assert sum(map(int, images)) == batch
        assert Path(leaf).name.startswith(f'{metadata["Detector"]}_')
        assert ('COCO' in metadata['Training Data']) == ('_coco' in leaf)
        assert ('Digits' in metadata['Training Data']) == ('_digits' in leaf)


@pytest.mark.parametrize(
    ('name', 'collection', 'figure'),
    [
        ('ssd300-r50_voc_boxmix', 'BoxMix', 'mAP 73.1 ± 0.2'),
        ('faster-rcnn_r50_coco', 'Baseline', 'AP 40.41, AP50 60.95, AP75 43.95'),
        (
            'faster-rcnn_r50_voc_lossmix-reg',
            'LossMix',
            'AP 56.31, AP50 81.92, AP75 62.40',
        ),
        ('ssd300-r50_voc07_level3', 'BoxMix on one level', 'mAP 66.5 ± 0.3'),
        ('faster-rcnn_r101-c4_voc-watercolor_lossmix', 'LossMix', 'mAP 59.3'),
        ('ssd300_voc_boxmix', 'BoxMix', None),
    ],
)
def test_methods_and_figures_of_the_papers(name, collection, figure, index):
    (model,) = (model for model in index['Models'] if model['Name'] == name)
    assert model['In Collection'] == collection
    assert model['Metadata'].get('Figure of the paper, not reproduced') == figure


def test_it_is_what_its_writer_gives():
    written = (CONFIGS / 'metafile.yml').read_text(encoding='utf-8')
    assert written == runpy.run_path(str(WRITER))['text'](), f'run {WRITER}'
