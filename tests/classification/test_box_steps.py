"""Boxes lie where the pixels do, or the pipeline is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import DATASETS

from .tiny_data import write_boxes, write_cub

LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')
BOXES = dict(type='PackInputs', algorithm_keys=('gt_bboxes',))
EDGE = dict(type='ResizeEdge', scale=30, edge='short')
ASKED = dict(type='Resize', scale=(100000, 30), keep_ratio=True)
CENTRE = dict(type='CenterCrop', crop_size=24)


def boxed(root, *steps):
    return DATASETS.build(
        dict(
            type='BoxedImages',
            data_root=str(root),
            ann_file='boxes.json',
            pipeline=[LOAD, *steps],
        )
    )


@pytest.fixture
def data(tmp_path):
    """An image of 80 x 60 px that is white in its box, 20, 10, 30, 40."""
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    image[10:50, 20:50] = 255
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    write_boxes(tmp_path / 'boxes.json', ['a.png'], ('thing',))
    return tmp_path


def test_the_steps_to_take_instead_keep_the_box_on_its_pixels(data):
    packed = boxed(data, ASKED, CENTRE, BOXES)[0]
    rows, columns = np.nonzero(packed['inputs'][0].numpy() > 127)
    seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    # Half the size, then 24 of 40 x 30 px: 8 off the left, 3 off the top.
    assert packed['data_samples'].gt_bboxes.tolist() == [[2, 2, 17, 22]]
    assert seen == (2, 2, 17, 22)
    # The pixels are those of the steps that are refused.
    stock = boxed(data, EDGE, CENTRE, PACK)[0]
    assert (packed['inputs'] == stock['inputs']).all()


@pytest.mark.parametrize(
    'step',
    [
        EDGE,
        dict(type='EfficientNetCenterCrop', crop_size=24),
        dict(type='RandomResizedCrop', scale=24),
        dict(type='EfficientNetRandomCrop', scale=24),
        dict(type='RandomCrop', crop_size=24),
    ],
)
def test_steps_that_leave_packed_boxes_behind_are_refused(step, data, tmp_path):
    with pytest.raises(ValueError, match=f'{step["type"]} moves pixels and leaves the'):
        boxed(data, step, BOXES)
    boxed(data, step, PACK)
    write_cub(tmp_path / 'cub')
    cub = dict(type='BoxedCUB', data_root=str(tmp_path / 'cub'), split='test')
    DATASETS.build(dict(cub, pipeline=[LOAD, step, PACK]))
    with pytest.raises(ValueError, match='moves pixels'):
        DATASETS.build(dict(cub, pipeline=[LOAD, step, BOXES]))


CROP = dict(type='RandomCrop', crop_size=24)


@pytest.mark.parametrize(
    ('step', 'name'),
    [
        (dict(type='Rotate', angle=30.0), 'Rotate'),
        (dict(type='Shear', magnitude=0.5), 'Shear'),
        (dict(type='Translate', magnitude=0.5), 'Translate'),
        (dict(type='AutoAugment', policies='imagenet'), '(Rotate|Shear|Translate)'),
        (
            dict(
                type='RandAugment',
                policies='timm_increasing',
                num_policies=2,
                magnitude_level=9,
            ),
            '(Rotate|Shear|Translate)',
        ),
        (dict(type='RandomApply', transforms=[CROP]), 'RandomCrop'),
        (dict(type='RandomChoice', transforms=[[LOAD], [LOAD, CROP]]), 'RandomCrop'),
        (dict(type='torchvision/CenterCrop', size=24), 'torchvision/CenterCrop'),
    ],
)
def test_steps_within_others_and_of_torchvision_are_refused_too(step, name, data):
    with pytest.raises(ValueError, match=f'^{name} moves pixels and leaves the'):
        boxed(data, step, BOXES)
    boxed(data, step, PACK)


def test_steps_of_colour_may_stand_anywhere(data):
    colours = [dict(type='ColorJitter', brightness=0.4), dict(type='Invert')]
    grey = dict(type='torchvision/Grayscale', num_output_channels=3)
    boxed(data, dict(type='RandomApply', transforms=colours), grey, BOXES)
