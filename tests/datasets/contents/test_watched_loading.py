"""Watching changes nothing that is loaded, and notes what is in the annotations."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

import mmmix  # noqa: F401
from mmmix.datasets.contents import watched_loading
from mmmix.datasets.contents.boxes import box_fault

from .broken import coco_config, coco_content, voc_config, write_coco, write_voc, xml


@pytest.fixture(params=['voc', 'coco'])
def config(request, tmp_path):
    """A clean data set of each form."""
    if request.param == 'voc':
        write_voc(tmp_path, xml(more='<difficult>1</difficult>'))
        return voc_config(tmp_path)
    content = coco_content()
    content['annotations'][0]['iscrowd'] = 1
    write_coco(tmp_path, content)
    return coco_config(tmp_path)


@pytest.mark.parametrize('test_mode', [False, True])
def test_the_same_is_loaded_as_by_mmdet(config, test_mode):
    config['test_mode'] = test_mode
    stock = DATASETS.build(config)
    with watched_loading() as seen:
        watched = DATASETS.build(config)
    assert len(stock) == len(watched) == 2
    assert np.array_equal(stock.data_bytes, watched.data_bytes)
    assert np.array_equal(stock.data_address, watched.data_address)
    assert vars(stock).keys() == vars(watched).keys()
    assert pickle.loads(pickle.dumps(watched)).metainfo == stock.metainfo
    contents = seen[id(watched)]
    assert contents.names == {'cat': 1, 'dog': 1}
    assert contents.training is not test_mode
    assert not contents.errors.count + contents.warnings.count


def test_the_class_is_as_before_afterwards(config):
    before = BaseDetDataset.full_init
    config['ann_file'] = 'missing.txt'
    with pytest.raises(FileNotFoundError), watched_loading():
        DATASETS.build(config)
    with watched_loading():
        assert BaseDetDataset.full_init is not before
    assert BaseDetDataset.full_init is before


def test_wrappers_and_subsets_are_seen(config):
    nested = dict(
        type='RepeatDataset',
        times=2,
        dataset=dict(type='ConcatDataset', datasets=[config, dict(config, indices=1)]),
    )
    with watched_loading() as seen:
        dataset = DATASETS.build(nested)
    parts = dataset.dataset.datasets
    assert [seen[id(part)].names for part in parts] == [{'cat': 1, 'dog': 1}] * 2
    assert len(dataset) == 6


def test_dropped_names_are_counted(config):
    config['metainfo'] = dict(classes=('dog',))
    with watched_loading() as seen:
        dataset = DATASETS.build(config)
    assert seen[id(dataset)].names == {'cat': 1, 'dog': 1}
    assert seen[id(dataset)].known == {'cat', 'dog'}


@pytest.mark.parametrize(
    ('classes', 'message'),
    [('cat', r"write classes=\('cat',\)"), (('cat', 'cat'), 'more than once')],
)
def test_classes_that_are_no_list_of_names(config, classes, message):
    config['metainfo'] = dict(classes=classes)
    with watched_loading(), pytest.raises(ValueError, match=message):
        DATASETS.build(config)


def test_other_kinds_are_noted_by_their_labels(tmp_path):
    @DATASETS.register_module(name='OneBox', force=True)
    class OneBox(BaseDetDataset):
        METAINFO = dict(classes=('cat', 'dog'))

        def load_data_list(self):
            instance = dict(bbox=[1, 2, 3, float(self.ann_file)], bbox_label=1)
            return [dict(img_id=0, img_path='', instances=[instance])]

    with watched_loading() as seen:
        dataset = DATASETS.build(dict(type='OneBox', ann_file='4'))
    assert seen[id(dataset)].names == {'dog': 1}
    with watched_loading(), pytest.raises(ValueError, match='image 0: box 1 is inv'):
        DATASETS.build(dict(type='OneBox', ann_file='1'))
    DATASETS.module_dict.pop('OneBox')


@DATASETS.register_module()
class Labelled(BaseDetDataset):
    """An image with a box of some label, and one to ignore without a class."""

    METAINFO = dict(classes=('cat', 'dog'))

    def __init__(self, label, **kwargs):
        self.label = label
        super().__init__(**kwargs)

    def load_data_list(self):
        box = np.array([1, 2, 3, 4], dtype=np.float32)
        labels = [(self.label, 0), (-1, 1)]
        instances = [dict(bbox=box, bbox_label=n, ignore_flag=k) for n, k in labels]
        return [dict(img_id=0, img_path='', instances=instances)]


@pytest.mark.parametrize('label', [1, np.int64(1), np.uint8(1), np.array(1), 1.0])
def test_labels_of_any_type_of_number_count(label):
    with watched_loading() as seen:
        dataset = DATASETS.build(dict(type='Labelled', label=label))
    assert seen[id(dataset)].names == {'dog': 1}


@pytest.mark.parametrize('label', [2, -1, np.int64(7)])
def test_labels_of_no_class_are_refused(label):
    """mmdet takes the number of classes for background, without a word."""
    message = f'image 0: box 1 has the label {label}, and labels go from 0 to 1'
    with watched_loading(), pytest.raises(ValueError, match=message):
        DATASETS.build(dict(type='Labelled', label=label))
    with watched_loading() as seen:
        dataset = DATASETS.build(dict(type='Labelled', label=label, test_mode=True))
    assert message in seen[id(dataset)].warnings.texts[0]


def test_repeated_images_stop_a_test_and_not_a_training(tmp_path):
    write_voc(tmp_path, names=b'a\na\n')
    with watched_loading() as seen:
        dataset = DATASETS.build(voc_config(tmp_path))
    assert len(dataset) == 3
    (text,) = seen[id(dataset)].warnings.texts
    assert "more than once: 'a'; delete the repeats" in text
    with watched_loading(), pytest.raises(ValueError, match='more than once'):
        DATASETS.build(voc_config(tmp_path, test_mode=True))


def test_unlabelled_sets_are_not_judged_by_their_boxes(tmp_path):
    write_voc(tmp_path, xml((9, 9, 9, 9)))
    config = voc_config(tmp_path)
    config['pipeline'] = [dict(type='LoadEmptyAnnotations')]
    with watched_loading() as seen:
        dataset = DATASETS.build(config)
    assert not seen[id(dataset)].labelled


def test_what_coco_drops_is_said(tmp_path):
    content = coco_content()
    content['annotations'][0]['bbox'] = [30, 6, -20, 34]
    content['annotations'].append(dict(content['annotations'][1], id=7, image_id=9))
    write_coco(tmp_path, content)
    with watched_loading() as seen:
        dataset = DATASETS.build(coco_config(tmp_path))
    texts = seen[id(dataset)].warnings.texts
    assert 'annotation 1 (cat, image 1) is dropped: bbox [30, 6, -20, 34]' in texts[0]
    assert 'annotation 7 is dropped: there is no image 9' in texts[1]


def test_the_order_of_labels_is_that_of_the_data_set(tmp_path):
    """Objects365 sorts the categories of its files by their ids."""
    content = coco_content()
    content['categories'].reverse()
    write_coco(tmp_path, content)
    orders = {}
    for kind in ('CocoDataset', 'Objects365V1Dataset'):
        with watched_loading() as seen:
            dataset = DATASETS.build(dict(coco_config(tmp_path), type=kind))
        orders[kind] = seen[id(dataset)].categories
    assert orders == {
        'CocoDataset': ('dog', 'cat'),
        'Objects365V1Dataset': ('cat', 'dog'),
    }


@pytest.mark.parametrize('fault', ['missing', 'broken'])
def test_images_without_labels_are_named(tmp_path, fault):
    write_voc(tmp_path, names=b'c\n')
    if fault == 'broken':
        (tmp_path / 'JPEGImages/c.jpg').write_bytes(b'text')
    kind = dict(type='VOCLayoutDataset', labelled=False, filter_cfg=None)
    words = 'no head of an image' if fault == 'broken' else 'No such file'
    with watched_loading(), pytest.raises(ValueError, match=words) as caught:
        DATASETS.build({**voc_config(tmp_path), **kind})
    assert 'JPEGImages/c.jpg' in str(caught.value)
    assert 'xml' not in str(caught.value)


def test_many_missing_files_are_found_in_no_time(tmp_path):
    names = b''.join(b'missing%d\n' % k for k in range(20000))
    write_voc(tmp_path, names=names)
    start = time.monotonic()
    with watched_loading(), pytest.raises(ValueError, match='20000 faults') as caught:
        DATASETS.build(voc_config(tmp_path))
    assert time.monotonic() - start < 30
    assert 'and 19990 more' in str(caught.value)


@pytest.mark.parametrize(
    ('box', 'words'),
    [
        ([0, 0, 10, 8], None),
        ([-9, -7, 19, 15], None),
        ([9, 7, 10, 8], None),
        ([0, 0, 0, 8], 'no width'),
        ([3, 5, 2, 8], 'inverted'),
        ([10, 0, 12, 8], 'outside'),
        ([0, -3, 5, 0], 'outside'),
        ([0, 0, 20.5, 8], 'too far'),
        ([-10.5, 0, 9, 8], 'too far'),
        ([0, 0, float('nan'), 8], 'not finite'),
        ([0, 0, 10**400, 8], 'too far'),
        ([0, 0, 5], 'four numbers'),
        ('0 0 5 5', 'four numbers'),
    ],
)
def test_boxes(box, words):
    fault = box_fault(box, 10, 8)
    assert fault is None if words is None else words in fault


def test_boxes_of_images_of_unknown_size():
    assert box_fault([0, 0, 5000, 8]) is None
    assert 'below 1e+06 pixels' in box_fault([0, 0, 1e300, 8])
