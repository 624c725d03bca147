"""Labels of images against the number of classes, and folders against each other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import DATASETS

from mmmix.apis.data_checks.check import check_data, sources_of
from mmmix.apis.data_checks.image_labels import (
    bad_line,
    check_folders,
    check_image_labels,
    class_count,
)
from mmmix.apis.run_checks.data_sets import class_counts, load_data_sets
from mmmix.datasets.contents import own_labels
from tests.configs.config_cases import CONFIGS

from .tiny_data import write_glyphs

NAMES = tuple('abcdefghij')
LEAF = CONFIGS / 'classification/preact-r18_glyphs_cutmix.py'


@pytest.fixture
def glyphs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_glyphs(tmp_path / 'data/glyphs')
    return tmp_path / 'data/glyphs'


def listed(root, labels, name='list.txt'):
    """Writes a list of images with these labels; a config of a data set of it."""
    lines = [f'{k % 10}/{k % 10}.png {label}' for k, label in enumerate(labels)]
    (root / name).write_text('\n'.join(lines) + '\n')
    return dict(
        type='CustomDataset',
        data_root=str(root),
        ann_file=name,
        data_prefix='train',
        metainfo=dict(classes=NAMES),
    )


def source(config, key='train_dataloader.dataset'):
    (found,) = sources_of(DATASETS.build(config), key, {})
    return found


def test_labels_that_are_classes_pass(glyphs):
    one = source(listed(glyphs, range(10)))
    check_image_labels(one, 10)
    check_image_labels(one, None)
    check_image_labels(source(dict(listed(glyphs, [99]), metainfo={})), None)


@pytest.mark.parametrize(('label', 'counted'), [(10, None), (-1, 10), (9, 9)])
def test_a_label_that_is_none_is_named_with_image_and_file(label, counted, glyphs):
    one = source(listed(glyphs, [*range(9), label]))
    with pytest.raises(ValueError, match='train_dataloader.dataset') as caught:
        check_image_labels(one, counted)
    text = str(caught.value)
    assert f'9/9.png has {label}' in text
    assert str(glyphs / 'list.txt') in text
    count = min(10, counted or 10)
    assert f'expected labels from 0 to {count - 1} of {count} classes' in text
    assert 'counted from 1' not in text
    # An index of -1 would be the last class.
    counts = class_counts(one)
    assert sum(counts.values()) == 9 + (label == 9)


def test_labels_counted_from_one_and_many_of_them(glyphs):
    with pytest.raises(ValueError, match=r'9/9.png has 10\. Are they counted from 1\?'):
        check_image_labels(source(listed(glyphs, range(1, 11))), 10)
    with pytest.raises(ValueError, match=r'0/0.png has 11, .* and 7 more\.'):
        check_image_labels(source(listed(glyphs, [11] * 12)), 10)


def test_labels_of_an_image_may_be_several_or_of_several_tasks():
    assert own_labels(dict(gt_label=3)) == [3]
    assert own_labels(dict(gt_label=np.array([1, 4]))) == [1, 4]
    assert own_labels(dict(gt_label=dict(colour=1, kind=2))) == []
    assert own_labels(dict(instances=[])) == []


def test_the_number_of_classes_is_that_of_the_head_or_of_a_preprocessor():
    pre = dict(num_classes=7)
    for text, count in (
        (dict(model=dict(head=dict(num_classes=5), data_preprocessor=pre)), 5),
        (dict(model=dict(head=dict(type='CSRAClsHead'), data_preprocessor=pre)), 7),
        (dict(model=dict(head=None), data_preprocessor=pre), 7),
        (dict(model=dict(bbox_head=dict(num_classes=5))), None),
    ):
        assert class_count(Config(text)) == count


@pytest.mark.parametrize('line', ['3/3.png', '', '3/3.png cat', '3/3.png,3', '7'])
def test_a_line_that_is_no_image_and_label_is_named(line, glyphs):
    config = listed(glyphs, [0, 1])
    with open(glyphs / 'list.txt', 'a') as file:
        file.write(f'{line}\n2/2.png 2\n')
    wrapped = dict(type='RepeatDataset', times=2, dataset=config)
    expected = f'{glyphs}/list.txt:3: expected an image, a space and the number of '
    assert expected in bad_line(wrapped)
    assert repr(line) in bad_line(dict(datasets=[listed(glyphs, [0], 'b'), config]))
    assert bad_line(listed(glyphs, [0, 1, -2])) is None
    assert bad_line(dict(config, with_label=False)) is None
    assert bad_line(dict(config, type='VOCDataset')) is None


def leaf(glyphs, split, labels, **others):
    cfg = Config.fromfile(LEAF)
    for name in ('train', 'val', 'test'):
        right = listed(glyphs, labels if name == split else range(10), f'{name}.txt')
        cfg[f'{name}_dataloader'].dataset.update({**right, **others})
    return cfg


@pytest.mark.parametrize('split', ['train', 'val', 'test'])
def test_the_check_finds_them_in_each_split(split, glyphs):
    loaded = load_data_sets(leaf(glyphs, split, [0, 12]))
    ((found),) = loaded.findings
    assert (found.level, found.check) == ('FAULT', f'{split} labels')
    assert '1/1.png has 12' in found.text
    loaded = load_data_sets(leaf(glyphs, split, [0, 'cat']))
    ((found),) = loaded.findings
    assert f'{split}.txt:2: expected an image' in found.text


class Unbuilt:
    """A Runner as ``check_data`` sees it."""

    def __init__(self, cfg):
        self.cfg = cfg

    def __getattr__(self, name):
        dataset = DATASETS.build(self.cfg[name.replace('loop', 'dataloader')].dataset)
        return SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset))


@pytest.mark.parametrize('split', ['train', 'val'])
def test_a_run_finds_them_before_its_first_step(split, glyphs):
    check_data(Unbuilt(leaf(glyphs, split, range(10))), ('train', 'val'))
    with pytest.raises(ValueError, match=f'{split}_dataloader.dataset .*has 12'):
        check_data(Unbuilt(leaf(glyphs, split, [0, 12])), ('train', 'val'))
    with pytest.raises(ValueError, match=f"{split}.txt:2: expected an image.*'1/1.png"):
        check_data(Unbuilt(leaf(glyphs, split, [0, 'cat'])), ('train', 'val'))
    # Another error stays as it is.
    with pytest.raises(ValueError, match='Unsupported type'):
        check_data(Unbuilt(leaf(glyphs, split, [0], classes=7)), ('train', 'val'))


def trees(root, **metainfo):
    """Both splits of a folder tree."""
    return [
        source(
            dict(
                type='CustomDataset',
                data_root=str(root),
                data_prefix=split,
                metainfo=metainfo,
            ),
            f'{split}_dataloader.dataset',
        )
        for split in ('train', 'val')
    ]


def test_folders_of_other_classes_are_refused_whatever_metainfo_says(glyphs):
    check_folders(trees(glyphs))
    check_folders(trees(glyphs, classes=NAMES))  # names of one's own
    (glyphs / 'val/3').rename(glyphs / 'val/x')
    swapped = trees(glyphs, classes=NAMES)
    # 4 is numbered as 3 was: in silence, for mmpretrain.
    assert swapped[1].dataset.folder_to_idx['4'] == 3
    for sources in (swapped, trees(glyphs)):
        with pytest.raises(ValueError, match=r"\['3', 'x'\] are in one of them alone"):
            check_folders(sources)


def test_names_in_another_order_than_the_folders_are_refused(glyphs):
    digits = [str(k) for k in range(10)]
    check_folders(trees(glyphs, classes=tuple(digits)))
    with pytest.raises(ValueError, match='called by wrong names'):
        check_folders(trees(glyphs, classes=tuple(digits[::-1])))
