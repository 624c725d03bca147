"""SSD's transforms with a record: mmdet's own results, and where pixels went."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

HEIGHT, WIDTH = 60, 90
ZOOM = np.float32([[2, 0, 3], [0, 2, 5], [0, 0, 1]])
PAIRS = {
    'Expand': dict(mean=(7, 8, 9), to_rgb=False, seg_ignore_label=255),
    'MinIoURandomCrop': dict(min_ious=(0.1, 0.5), min_crop_size=0.4),
}


def results() -> dict[str, Any]:
    """An image whose channels are its coordinates, with all kinds of annotation."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.uint8)
    masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    masks[0, 10:30, 20:50] = masks[1, 35:55, 40:80] = 1
    return dict(
        img=np.stack([columns, rows, np.full_like(rows, 200)], axis=2),
        img_shape=(HEIGHT, WIDTH),
        gt_bboxes=HorizontalBoxes(np.float32([[20, 10, 50, 30], [40, 35, 80, 55]])),
        gt_bboxes_labels=np.array([3, 5]),
        gt_ignore_flags=np.array([False, True]),
        gt_masks=BitmapMasks(masks, HEIGHT, WIDTH),
        gt_seg_map=rows + columns,
    )


def drawn(cfg: dict, seed: int, given: dict[str, Any]) -> dict[str, Any]:
    """A transform with the draws of a seed."""
    random.seed(seed)
    np.random.seed(seed)
    return TRANSFORMS.build(cfg)(given)


@pytest.mark.parametrize('name', PAIRS)
@pytest.mark.parametrize(
    'before', [None, np.float32([[2, 0, 3], [0, 2, 5], [0, 0, 1]])]
)
def test_results_are_mmdets_and_the_record_tells_where_pixels_went(name, before):
    moved = 0
    for seed in range(15):
        stock = drawn(dict(PAIRS[name], type=name), seed, results())
        given = results()
        if before is not None:
            given['homography_matrix'] = before
        found = drawn(dict(PAIRS[name], type=f'Recorded{name}'), seed, given)
        matrix = found.pop('homography_matrix')
        assert found.keys() == stock.keys()
        for key, value in stock.items():
            if key == 'gt_bboxes':
                value, found[key] = value.tensor, found[key].tensor
            elif key == 'gt_masks':
                value, found[key] = value.masks, found[key].masks
            np.testing.assert_array_equal(np.asarray(found[key]), np.asarray(value))
        shift = matrix if before is None else matrix @ np.linalg.inv(before)
        rows, columns = np.nonzero(found['img'][..., 2] == 200)
        origins = found['img'][rows, columns, :2].astype(float)
        ones = np.ones(len(rows))
        there = shift @ np.stack([origins[:, 0], origins[:, 1], ones])
        np.testing.assert_allclose(there, [columns, rows, ones], atol=1e-4)
        moved += not np.allclose(shift, np.eye(3), atol=1e-6)
    assert moved > 3


@pytest.mark.parametrize('name', PAIRS)
def test_without_annotations(name):
    """As an unlabelled image comes: empty boxes, and nothing else."""
    for seed in range(8):
        given = results()
        given = {key: given[key] for key in ('img', 'img_shape')}
        given['gt_bboxes'] = np.zeros((0, 4), np.float32)
        found = drawn(dict(PAIRS[name], type=f'Recorded{name}'), seed, given)
        assert 'gt_seg_map' not in found
        assert found['homography_matrix'].shape == (3, 3)
        assert found['img'].shape[:2] == tuple(found['img_shape'])


@pytest.mark.parametrize('name', PAIRS)
def test_grey_images_are_told(name):
    transform = TRANSFORMS.build(dict(PAIRS[name], type=f'Recorded{name}'))
    grey = dict(results(), img=np.zeros((HEIGHT, WIDTH), np.uint8), img_path='a.png')
    with pytest.raises(ValueError, match=r'\(60, 90\) of a.png; load with color_type'):
        transform(grey)


def test_a_canvas_has_the_channels_of_the_image():
    grey = dict(results(), img=np.zeros((HEIGHT, WIDTH, 1), np.uint8))
    with pytest.raises(ValueError, match='RecordedExpand.mean has 3 values'):
        TRANSFORMS.build(dict(PAIRS['Expand'], type='RecordedExpand'))(grey)
    equal = dict(PAIRS['Expand'], type='RecordedExpand', mean=(7, 7, 7), prob=1)
    height, width, channels = drawn(equal, 0, grey)['img'].shape
    assert (height > HEIGHT, width > WIDTH, channels) == (True, True, 1)
