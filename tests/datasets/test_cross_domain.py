"""Clipart1k and Watercolor2k: classes, reading, and what is said where they lack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS
from mmengine.config import Config

from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.datasets import domain_data
from tests.configs.tiny_data import write_voc

DOCS = Path(__file__).resolve().parents[2] / 'docs/domain_data.md'
VOC = VOCDataset.METAINFO['classes']
SIX = ('bicycle', 'bird', 'car', 'cat', 'dog', 'person')
KINDS = {
    'Clipart1kDataset': ('clipart', VOC, domain_data.CLIPART1K),
    'Watercolor2kDataset': ('watercolor', SIX, domain_data.WATERCOLOR2K),
}
every_kind = pytest.mark.parametrize('kind', KINDS)


def config(kind: str, root: Path, split: str = 'train') -> dict:
    """The config of one of the data sets."""
    return dict(
        type=kind,
        data_root=f'{root}/',
        ann_file=f'ImageSets/Main/{split}.txt',
        data_prefix=dict(sub_data_root=''),
    )


@every_kind
def test_classes_and_their_colours(kind, tmp_path):
    folder, classes, _ = KINDS[kind]
    write_voc(tmp_path / folder, {'train': 't', 'test': 'u'}, VOC)
    dataset = DATASETS.build(config(kind, tmp_path / folder))
    assert dataset.metainfo['classes'] == classes
    assert dataset.metainfo['dataset_type'] is None
    colours = dict(zip(VOC, VOCDataset.METAINFO['palette']))
    assert dataset.metainfo['palette'] == [colours[name] for name in classes]


@every_kind
def test_splits_and_labels_are_read(kind, tmp_path):
    """Image k of the tiny data has one object, of VOC's class k."""
    folder, classes, _ = KINDS[kind]
    write_voc(tmp_path / folder, {'train': 't', 'test': 'u'}, VOC)
    for split, prefix in (('train', 't'), ('test', 'u')):
        dataset = DATASETS.build(config(kind, tmp_path / folder, split))
        infos = [dataset.get_data_info(k) for k in range(len(dataset))]
        assert [info['img_id'] for info in infos] == [f'{prefix}{k}' for k in range(4)]
        for info, name in zip(infos, VOC):
            labels = [box['bbox_label'] for box in info['instances']]
            assert labels == ([classes.index(name)] if name in classes else [])


@every_kind
def test_a_missing_one_says_where_it_comes_from(kind, tmp_path):
    folder, _, text = KINDS[kind]
    with pytest.raises(FileNotFoundError) as caught:
        DATASETS.build(config(kind, tmp_path / folder))
    assert f'{tmp_path}/{folder}/ImageSets/Main/train.txt' in str(caught.value)
    assert text in str(caught.value)
    assert kind in str(caught.value)


@every_kind
def test_so_does_one_without_an_annotation(kind, tmp_path):
    folder, _, text = KINDS[kind]
    write_voc(tmp_path / folder, {'train': 't'}, VOC)
    (tmp_path / folder / 'Annotations/t2.xml').unlink()
    with pytest.raises(FileNotFoundError) as caught:
        DATASETS.build(config(kind, tmp_path / folder))
    assert 'Annotations/t2.xml' in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ('folder', 'text'),
    [
        ('clipart', domain_data.CLIPART1K),
        ('watercolor', domain_data.WATERCOLOR2K),
        ('digits_target', domain_data.DIGITS_TARGET),
    ],
)
def test_so_do_the_tools_before_anything_is_built(folder, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = config('XMLDataset', Path('data') / folder)
    cfg = Config(dict(train_cfg=dict(), train_dataloader=dict(dataset=dataset)))
    with pytest.raises(FileNotFoundError) as caught:
        check_dataset_paths(cfg, ['train'])
    assert f'{tmp_path}/data/{folder}' in str(caught.value)
    assert text in str(caught.value)
    others = {domain_data.CLIPART1K, domain_data.WATERCOLOR2K} - {text}
    assert not any(other in str(caught.value) for other in others)


def plain_text(markdown: str) -> str:
    """Markdown without code quotes, link brackets and line breaks."""
    return re.sub(r'\s+', ' ', re.sub(r'[`<>]', '', markdown))


@pytest.mark.parametrize('name', ['CLIPART1K', 'WATERCOLOR2K'])
def test_the_documentation_has_the_same_text(name):
    assert f'{getattr(domain_data, name)}. ' in plain_text(DOCS.read_text())


def test_the_documentation_has_the_command_for_the_digits():
    command = domain_data.DIGITS_TARGET.partition(': ')[2]
    assert f'\n{command}\n' in DOCS.read_text()
