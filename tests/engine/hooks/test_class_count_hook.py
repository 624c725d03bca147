"""Numbers of classes, of one data set and of parts whose metainfo differs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmdet.datasets import ConcatDataset
from mmengine.dataset import BaseDataset
from torch import nn

from mmmix.engine import ClassCountHook


def part(classes, year):
    data = BaseDataset(
        metainfo=dict(classes=classes, year=year), lazy_init=True, serialize_data=False
    )
    data._fully_initialized, data.data_list = True, [{}]
    return data


def check(dataset, num_classes=2, mode='train', more=None):
    model = nn.Module()
    model.bbox_head = nn.Module()
    model.bbox_head.num_classes = num_classes
    model.backbone = nn.Module()
    model.backbone.num_classes = more
    loader = SimpleNamespace(dataset=dataset)
    said = []
    runner = SimpleNamespace(
        model=model,
        logger=SimpleNamespace(warning=said.append),
        train_dataloader=loader,
        val_dataloader=loader,
    )
    hook = ClassCountHook()
    if mode == 'train':
        hook.before_train_epoch(runner)
    else:
        hook.before_val_epoch(runner)
    return said


@pytest.mark.parametrize('mode', ['train', 'val'])
def test_parts_that_differ_in_year_train(mode):
    names = ('a', 'b')
    both = ConcatDataset([part(names, 2007), part(names, 2012)])
    assert isinstance(both.metainfo, list)
    assert not check(both, mode=mode)
    wrapped = SimpleNamespace(metainfo=both.metainfo, dataset=both)
    assert not check(wrapped, mode=mode)
    with pytest.raises(ValueError, match='model.bbox_head.num_classes=3'):
        check(both, num_classes=3, mode=mode)


def test_every_part_is_checked():
    both = ConcatDataset([part(('a', 'b'), 2007), part(('a', 'b', 'c'), 2012)])
    for count in (2, 3):
        with pytest.raises(ValueError, match='does not match'):
            check(both, num_classes=count)


def test_one_set_is_checked_as_in_mmdet():
    assert not check(part(('a', 'b'), 2007))
    with pytest.raises(ValueError, match='has 1 classes, and the model does not match'):
        check(part(('a',), 2007))
    with pytest.raises(TypeError, match="one class is written \\('ab',\\)"):
        check(part('ab', 2007))
    assert len(check(SimpleNamespace(metainfo={}))) == 1


@pytest.mark.parametrize('count', [None, -1])
def test_what_has_no_classes_of_its_own_is_passed_over(count):
    assert not check(part(('a', 'b'), 2007), more=count)
    with pytest.raises(ValueError, match='model.backbone.num_classes=3'):
        check(part(('a', 'b'), 2007), more=3)
