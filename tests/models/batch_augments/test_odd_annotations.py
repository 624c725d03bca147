"""Annotations of odd types and shapes, as pipelines make them."""

from __future__ import annotations

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import PixelData

from tests.models.batch_augments.batches import batch_of

RATIO = dict(type='Constant', value=0.7)


def mixed(change):
    """Two images, the second changed, mixed."""
    inputs, samples = batch_of([(64, 64)] * 2)
    change(samples[1])
    mixer = MODELS.build(dict(type='MixBatch', ratio=RATIO))
    return samples, mixer(inputs, samples)[1]


def test_boxes_of_double_precision_do_not_widen_the_partner_s():
    def change(sample):
        sample.gt_instances.bboxes = sample.gt_instances.bboxes.double()

    samples, union = mixed(change)
    for sample in union:
        assert sample.gt_instances.bboxes.dtype == torch.float32
    boxes = torch.cat([s.gt_instances.bboxes.float() for s in samples])
    assert torch.equal(union[0].gt_instances.bboxes, boxes)


def test_labels_of_an_image_without_objects_stay_integers():
    def change(sample):
        sample.gt_instances = sample.gt_instances[:0]
        sample.gt_instances.labels = sample.gt_instances.labels.double()

    samples, union = mixed(change)
    for sample in union:
        assert sample.gt_instances.labels.dtype == torch.int64
        assert sample.gt_instances.mix_ids.dtype == torch.int64
        assert torch.equal(sample.gt_instances.labels, samples[0].gt_instances.labels)


def test_other_labels_are_refused_by_name():
    def change(sample):
        sample.gt_instances.labels = sample.gt_instances.labels.double()
        sample.set_metainfo(dict(img_path='odd.jpg'))

    with pytest.raises(TypeError, match='odd.jpg: labels of gt_instances.*float64'):
        mixed(change)


def test_a_box_that_was_cropped_to_a_line_is_dropped():
    def change(sample):
        sample.gt_instances.bboxes[0, 2] = sample.gt_instances.bboxes[0, 0]

    samples, union = mixed(change)
    counts = [len(sample.gt_instances) for sample in samples]
    for i, sample in enumerate(union):
        assert len(sample.gt_instances) == sum(counts) - 1
        assert (sample.gt_instances.mix_ids == 1 - i).sum() == counts[1] - 1


def test_a_box_over_the_edge_does_not_reach_its_partner():
    """Images of two sizes, centred: the smaller one's box ends where it does."""
    inputs, samples = batch_of([(64, 64), (32, 32)])
    samples[1].gt_instances.bboxes[0] = torch.tensor([-30.0, 4.0, 10.0, 60.0])
    mixer = MODELS.build(dict(type='MixBatch', ratio=RATIO, align='center'))
    union = mixer(inputs, samples)[1][0].gt_instances
    box = union.bboxes[union.mix_ids == 1][0]
    assert box.tolist() == [16.0, 20.0, 26.0, 48.0]


@pytest.mark.parametrize('name', ['gt_depth', 'gt_sem_seg', 'gt_panoptic_seg'])
def test_a_further_annotation_of_one_image_alone_is_refused(name):
    """It would describe component 0, and stand beside the mixed image."""

    def change(sample):
        setattr(sample, name, PixelData(data=torch.ones(1, 64, 64)))
        sample.set_metainfo(dict(img_path='deep.jpg'))

    with pytest.raises(TypeError, match=f'deep.jpg: {name!r} cannot be mixed'):
        mixed(change)


@pytest.mark.parametrize('keep', ['all', 'dominant'])
@pytest.mark.parametrize(
    ('key', 'values'),
    [
        ('text', ('cat. dog.', 'bus. car.')),
        ('tokens_positive', ({0: [[0, 3]], 1: [[5, 8]]}, {0: [[5, 8]], 1: [[0, 3]]})),
    ],
)
def test_labels_that_count_other_phrases_are_refused(key, values, keep):
    """Label 1 is a dog in one image and a car in the other."""
    inputs, samples = batch_of([(64, 64)] * 2)
    mixer = MODELS.build(dict(type='MixBatch', ratio=RATIO, keep=keep))
    for sample, value in zip(samples, values):
        sample.set_metainfo({key: value, 'img_path': f'{value}.jpg'})
    with pytest.raises(ValueError, match=f'phrases of {key!r}, which must be the same'):
        mixer(inputs, samples)
    samples[1].set_metainfo({key: values[0]})
    union = mixer(inputs, samples)[1][0]
    assert union.get(key) == values[0]
    if keep == 'all':
        labels = torch.cat([sample.gt_instances.labels for sample in samples])
        assert torch.equal(union.gt_instances.labels, labels)
