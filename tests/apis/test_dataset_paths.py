"""Missing data is named before anything is built."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from mmmix.apis.dataset_paths import check_dataset_paths


def voc(year, root='data/VOCdevkit/', **more):
    return dict(
        type='VOCDataset',
        data_root=root,
        ann_file=f'VOC{year}/ImageSets/Main/trainval.txt',
        data_prefix=dict(sub_data_root=f'VOC{year}/'),
        **more,
    )


def config(dataset, split='train', **more):
    loop = {f'{split}_cfg': dict(), f'{split}_dataloader': dict(dataset=dataset)}
    return Config(dict(loop, **more))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current directory in which VOC2007 can be made."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(folder, year):
    (folder / f'VOC{year}/ImageSets/Main').mkdir(parents=True)
    (folder / f'VOC{year}/ImageSets/Main/trainval.txt').write_text('')


def test_wrappers_are_walked(here):
    concat = dict(type='ConcatDataset', datasets=[voc(2007), voc(2012)])
    repeat = dict(type='RepeatDataset', dataset=concat)
    cfg = config(dict(type='MultiImageMixDataset', dataset=repeat))
    with pytest.raises(FileNotFoundError) as caught:
        check_dataset_paths(cfg, ['train'])
    message = str(caught.value)
    key = 'train_dataloader.dataset.dataset.dataset.datasets'
    for index in (0, 1):
        line = f'{here}/data/VOCdevkit  ({key}[{index}].data_root)'
        assert line in message
    assert 'VOCtrainval_06-Nov-2007.tar' in message
    assert 'data/VOCdevkit/VOC2012/' in message
    assert 'make_digits' not in message

    make(here / 'data/VOCdevkit', 2007)
    with pytest.raises(FileNotFoundError) as caught:
        check_dataset_paths(cfg, ['train'])
    message = str(caught.value)
    base = f'{here}/data/VOCdevkit/VOC2012'
    assert f'{base}/ImageSets/Main/trainval.txt  ({key}[1].ann_file)' in message
    assert f'{base}  ({key}[1].data_prefix.sub_data_root)' in message
    assert f'{key}[0]' not in message

    make(here / 'data/VOCdevkit', 2012)
    check_dataset_paths(cfg, ['train'])


@pytest.mark.parametrize(
    ('root', 'words', 'others'),
    [
        ('data/digits', 'mmmix digits, which', ['VOC', 'COCO']),
        ('data/coco/', 'annotations_trainval2017.zip', ['VOC', 'make_digits']),
        ('data/digits', 'tools/dataset_converters/make_digits.py', ['VOC', 'COCO']),
        ('elsewhere', 'change the named config key', ['VOC', 'COCO', 'make_digits']),
    ],
)
def test_advice_fits_the_data(root, words, others, here):
    with pytest.raises(FileNotFoundError) as caught:
        check_dataset_paths(config(dict(type='D', data_root=root), 'test'), ['test'])
    assert words in str(caught.value)
    assert 'test_dataloader.dataset.data_root' in str(caught.value)
    assert not [other for other in others if other in str(caught.value)]


def test_only_the_splits_that_the_command_uses(here):
    cfg = config(dict(data_root='missing'), 'val')
    check_dataset_paths(cfg, ['train', 'test'])
    cfg.val_cfg = None
    check_dataset_paths(cfg, ['val'])
    cfg.val_cfg = dict()
    with pytest.raises(FileNotFoundError, match='val_dataloader'):
        check_dataset_paths(cfg, ['val'])


def test_absolute_and_remote_paths(here):
    annotations = here / 'a.json'
    annotations.write_text('')
    (here / 'root').mkdir()
    own = dict(data_root='root', ann_file=str(annotations), data_prefix=dict(img=''))
    check_dataset_paths(config(own), ['train'])
    check_dataset_paths(config(dict(data_root='s3://bucket/voc')), ['train'])
    check_dataset_paths(
        config(voc(2007, backend_args=dict(backend='petrel'))), ['train']
    )
    check_dataset_paths(config(dict(type='InMemory')), ['train'])


@pytest.mark.parametrize(
    ('place', 'key'),
    [
        (lambda metric: metric, 'val_evaluator.ann_file'),
        (lambda metric: [dict(type='VOCMetric'), metric], 'val_evaluator[1].ann_file'),
        (lambda metric: dict(metrics=[metric]), 'val_evaluator.metrics[0].ann_file'),
    ],
)
def test_files_of_metrics(place, key, here):
    """That of a base stays where a config has other data, and is easily forgotten."""
    own = dict(data_root=str(here), ann_file='')
    file = 'data/coco/annotations/instances_val2017.json'
    metric = dict(type='CocoMetric', ann_file=file)
    cfg = config(own, 'val', val_evaluator=place(metric))
    with pytest.raises(FileNotFoundError) as caught:
        check_dataset_paths(cfg, ['val'])
    assert f'{here}/{file}  ({key})' in str(caught.value)
    check_dataset_paths(cfg, ['test'])
    (here / file).parent.mkdir(parents=True)
    (here / file).touch()
    check_dataset_paths(cfg, ['val'])
    for change in (
        dict(ann_file='s3://bucket/a.json'),
        dict(ann_file='gone.json', backend_args=dict(backend='petrel')),
        dict(ann_file=None),
    ):
        cfg.val_evaluator = place(dict(metric, **change))
        check_dataset_paths(cfg, ['val'])
