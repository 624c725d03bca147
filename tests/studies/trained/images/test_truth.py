"""Objects of a data set's image."""

from __future__ import annotations

from mmmix.studies.trained.images.truth import blank_info, objects_of


def test_ignored_objects_are_set_apart():
    instances = [
        dict(bbox=[1.0, 2.0, 3.0, 4.0], bbox_label=7, ignore_flag=0),
        dict(bbox=[5.0, 6.0, 7.0, 8.0], bbox_label=1, ignore_flag=1),
        dict(bbox=[0.5, 0.0, 9.0, 9.0], bbox_label=2),
    ]
    objects, ignored = objects_of(dict(instances=instances))
    assert objects.labels.tolist() == [7, 2]
    assert objects.bboxes.tolist() == [[1, 2, 3, 4], [0.5, 0, 9, 9]]
    assert ignored.labels.tolist() == [1]
    assert ignored.bboxes.tolist() == [[5, 6, 7, 8]]


def test_image_without_objects():
    for part in objects_of(blank_info('noise', (3, 4))):
        assert part.bboxes.shape == (0, 4)
        assert part.labels.tolist() == []
