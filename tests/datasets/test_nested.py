"""What is found inside of data sets, however they are wrapped."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmcv.transforms import RandomApply
from mmdet.datasets.transforms import MultiBranch, Resize
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmmix.datasets.nested import nested_datasets, nested_steps, pipelines

FLIP, RESIZE = dict(type='RandomFlip', prob=0.5), dict(type='Resize', scale=(8, 8))
ATTRIBUTES = dict(dataset=None, datasets=None)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmdet')


def data(**attributes):
    return SimpleNamespace(**(ATTRIBUTES | attributes))


def names(steps):
    return [type(step).__name__ for step in steps]


def test_data_sets_are_found_in_wrappers_and_in_what_they_join():
    leaves = [data(), data(), data()]
    joined = data(datasets=leaves[:2])
    outer = data(dataset=data(datasets=[joined, leaves[2]]))
    expected = [outer, outer.dataset, joined, *leaves]
    assert list(map(id, nested_datasets(outer))) == list(map(id, expected))


def test_each_pipeline_is_a_list_of_its_own():
    inner = data(pipeline=Compose([RESIZE]))
    outer = data(pipeline=[Resize(scale=(8, 8)), Resize(scale=(4, 4))], dataset=inner)
    assert [len(steps) for steps in pipelines(outer)] == [2, 1]
    assert list(pipelines(data())) == [[]]
    other = data(pipeline=SimpleNamespace(transforms=[Resize(scale=(8, 8))]))
    assert [len(steps) for steps in pipelines(other)] == [1]


def test_steps_are_found_wherever_a_transform_keeps_them():
    branch = MultiBranch(['a', 'b'], a=[FLIP, RESIZE], b=[RESIZE])
    found = names(nested_steps(Compose([RandomApply([FLIP], prob=1.0), branch])))
    assert found[:2] == ['RandomApply', 'RandomFlip']
    assert found[2:] == ['MultiBranch', 'RandomFlip', 'Resize', 'Resize']


def test_a_step_of_another_kind_is_told_too():
    first, *others = nested_steps(Compose([RESIZE, len, Compose([sum])]))
    assert isinstance(first, Resize)
    assert others == [len, sum]
