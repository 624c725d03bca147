"""Branches that no image of a batch has are left out; all else is mmdet's."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample

INNER = dict(type='DetDataPreprocessor', mean=[1.0] * 3, std=[2.0] * 3)


def preprocessor(kind: str):
    """A multi-branch preprocessor."""
    return MODELS.build(dict(type=kind, data_preprocessor=INNER))


def batch(*branches: tuple[str | None, ...]) -> dict:
    """A collated batch of samples, each of which has the given branches."""
    names = ('sup', 'unsup_teacher', 'unsup_student')

    def collated(part):
        return {
            name: [part() if name in given else None for given in branches]
            for name in names
        }

    def sample():
        return DetDataSample(metainfo=dict(img_shape=(4, 6)))

    return dict(
        inputs=collated(lambda: torch.randint(0, 256, (3, 4, 6), dtype=torch.uint8)),
        data_samples=collated(sample),
    )


def test_the_stock_one_fails_on_a_branch_without_images():
    with pytest.raises(Exception, match='tensor_list|empty|list index'):
        preprocessor('MultiBranchDataPreprocessor')(batch(('sup',), ('sup',)), True)


def test_a_branch_without_images_is_left_out():
    data = batch(('sup',), ('sup',))
    images = torch.stack(data['inputs']['sup']).float()
    result = preprocessor('OptionalBranchDataPreprocessor')(data, True)
    assert {key: set(part) for key, part in result.items()} == dict(
        inputs={'sup'}, data_samples={'sup'}
    )
    assert torch.equal(result['inputs']['sup'], (images - 1) / 2)
    assert len(result['data_samples']['sup']) == 2


def test_with_all_branches_it_is_the_stock_one():
    data = batch(('sup',), ('unsup_teacher', 'unsup_student'))
    results = [
        preprocessor(kind)(copy.deepcopy(data), True)
        for kind in ('MultiBranchDataPreprocessor', 'OptionalBranchDataPreprocessor')
    ]
    assert results[0]['inputs'].keys() == results[1]['inputs'].keys()
    for name, images in results[0]['inputs'].items():
        assert torch.equal(images, results[1]['inputs'][name])
        for one, other in zip(*(r['data_samples'][name] for r in results)):
            assert one.metainfo == other.metainfo


def test_the_batch_it_got_is_left_as_it_is():
    data = batch(('sup',), ('unsup_teacher', 'unsup_student'))
    preprocessor('OptionalBranchDataPreprocessor')(data, True)
    assert [image is None for image in data['inputs']['sup']] == [False, True]
    assert len(data['data_samples']['unsup_student']) == 2


def test_a_batch_to_test_has_no_branches():
    data = dict(
        inputs=[torch.zeros((3, 4, 6), dtype=torch.uint8)],
        data_samples=[DetDataSample(metainfo=dict(img_shape=(4, 6)))],
    )
    result = preprocessor('OptionalBranchDataPreprocessor')(data, False)
    assert torch.equal(result['inputs'], torch.full((1, 3, 4, 6), -0.5))
