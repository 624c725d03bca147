"""Frames and labels of a picture with annotations and detections."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from matplotlib.patches import Rectangle
from mmengine.structures import InstanceData

from mmmix.commands import compare_detections
from mmmix.studies.trained.side_by_side import (
    Row,
    detection_column,
    draw,
    most_different,
    numbered,
    truth_column,
)

CLASSES = ('cat', 'dog')
TRUTH = (
    InstanceData(bboxes=torch.tensor([[10.0, 10, 30, 40]]), labels=torch.tensor([1])),
    InstanceData(bboxes=torch.tensor([[50.0, 50, 70, 70]]), labels=torch.tensor([0])),
)
FOUND = InstanceData(
    bboxes=torch.tensor(
        [[11.0, 10, 30, 40], [10, 10, 30, 40], [50, 50, 70, 71], [9, 9, 30, 39]]
    ),
    scores=torch.tensor([0.9, 0.5, 0.4, 0.1]),
    labels=torch.tensor([1, 0, 0, 1]),
)


def test_right_and_wrong_detections():
    column = detection_column(FOUND, TRUTH, score_thr=0.3)
    np.testing.assert_allclose(column.scores, [0.9, 0.5, 0.4])
    # A dog, a cat where the dog is, and an object that is to be ignored.
    assert column.right.tolist() == [True, False, True]
    everything = detection_column(FOUND, TRUTH, score_thr=0)
    assert everything.right.tolist() == [True, False, True, False]
    assert detection_column(FOUND, None, 0.3).right.all()
    assert truth_column(*TRUTH).right.tolist() == [True, False]


def test_frames_lie_on_the_boxes_and_tell_right_from_wrong():
    image = np.zeros((80, 100, 3), np.uint8)
    image[..., 0] = 200  # blue in BGR
    columns = [truth_column(*TRUTH), detection_column(FOUND, TRUTH, 0.3)]
    figure = draw([Row(image, 'img_7', columns)], ['annotations', 'model'], CLASSES)
    truth, found = figure.axes
    assert (truth.get_title(), found.get_title()) == ('annotations', 'model')
    assert truth.get_xlabel() == 'img_7'
    assert found.images[0].get_array()[0, 0].tolist() == [0, 0, 200]
    frames = [patch for patch in found.patches if isinstance(patch, Rectangle)]
    assert frames[0].get_bbox().extents.tolist() == [11, 10, 30, 40]
    assert [frame.get_linestyle() for frame in frames] == ['-', '--', '-']
    assert frames[1].get_edgecolor() == frames[2].get_edgecolor()
    assert frames[0].get_edgecolor() != frames[1].get_edgecolor()
    texts = [text.get_text() for text in found.texts]
    assert texts == ['dog 0.90', 'cat 0.50', 'cat 0.40']
    assert [text.get_text() for text in truth.texts] == ['dog', 'cat']


def test_images_on_which_models_differ():
    counts = np.array([[1, 5, 2, 0], [1, 2, 2, 3], [1, 4, 0, 1]])
    assert most_different(counts, 3) == [1, 3, 2]
    assert most_different(np.zeros((2, 3)), 2) == [0, 1]


def test_what_is_found_of_objects_to_ignore_is_not_counted_as_right(monkeypatch):
    boxes = [instances.bboxes[0].tolist() for instances in TRUTH]
    info = dict(
        instances=[
            dict(bbox=boxes[0], bbox_label=1),
            dict(bbox=boxes[1], bbox_label=0, ignore_flag=1),
        ]
    )
    sample = SimpleNamespace(pred_instances=FOUND)
    monkeypatch.setattr(compare_detections, 'predict', lambda *arguments: [sample])
    detector = SimpleNamespace(read_image=lambda info: None)
    args = SimpleNamespace(batch_size=1, score_thr=0.3)
    assert compare_detections.all_right([detector], [info], args).tolist() == [[1]]


def test_models_of_one_name_are_numbered():
    assert numbered(['a', 'b', 'a']) == ['a #1', 'b', 'a #2']
