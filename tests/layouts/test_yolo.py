"""Labels in YOLO's text files."""

from __future__ import annotations

import pytest
import torch

from mmmix.layouts.yolo import label_file, read_data_yaml, read_labels


def written(folder, text):
    path = folder / 'a b.txt'
    path.write_text(text, encoding='utf-8')
    return path


def test_boxes_and_outlines_are_corners_in_shares(tmp_path):
    labels = read_labels(
        written(tmp_path, '2 0.5 0.25 0.5 0.5\n\n0 .1 .2 .3 .1 .2 .4\n'), 3
    )
    assert labels.ids == [2, 0]
    assert labels.boxes[0] == pytest.approx((0.25, 0.0, 0.75, 0.5))
    assert labels.boxes[1] == pytest.approx((0.1, 0.1, 0.3, 0.4))
    assert labels.faults == []


def test_no_file_and_an_empty_one_are_images_without_objects(tmp_path):
    assert read_labels(tmp_path / 'none.txt', 3) == ([], [], [])
    assert read_labels(written(tmp_path, '\ufeff\n'), 3) == ([], [], [])


def test_a_rounded_edge_is_clipped(tmp_path):
    labels = read_labels(written(tmp_path, '0 0.5 0.5 1.004 1\n'))
    assert labels.boxes == [(0.0, 0.0, 1.0, 1.0)]


def test_the_smallest_box_of_six_digits_is_read_at_an_edge_too(tmp_path):
    path = written(tmp_path, '0 1.000000 0.5 0.000001 0.2\n0 0.5 0.5 1 0.000001\n')
    labels = read_labels(path)
    assert labels.faults == []
    assert labels.boxes[0] == pytest.approx((0.9999995, 0.4, 1, 0.6), abs=1e-12)
    corners = torch.tensor(labels.boxes) * 1000  # in single precision, as models have
    assert (corners[:, 2:] > corners[:, :2]).all()


@pytest.mark.parametrize(
    ('line', 'said'),
    [
        ('3 .5 .5 .1 .1', 'the class is 3, and the names go from 0 to 2'),
        ('-1 .5 .5 .1 .1', 'write its place in names'),
        ('cat .5 .5 .1 .1', 'write numbers'),
        ('0 .5 .5 .1', '4 numbers'),
        ('0 .5 .5 .1 .1 .9', '6 numbers'),
        ('0 nan .5 .1 .1', 'not finite'),
        ('0 200 100 50 50', 'divide by the size of the image'),
        ('0 .9 .5 .4 .1', 'clip it to 0 to 1'),
        ('inf .5 .5 .1 .1', 'the class is inf; write its place in names'),
        ('1e400 .5 .5 .1 .1', 'the class is 1e400; write its place in names'),
        ('nan .5 .5 .1 .1', 'the class is nan; write its place in names'),
        ('0 .5 .5 -.2 .2', 'the box is -.2 wide and .2 high; write a width and a'),
        ('0 .5 .5 .2 -.2', 'the box is .2 wide and -.2 high; write a width and a'),
        ('0 .5 .5 0 .2', 'has no width or height in the image (0.5, 0.4 to 0.5, 0.6)'),
        ('0 .5 .5 .2 0', 'has no width or height in the image (0.4, 0.5 to 0.6, 0.5)'),
        ('0 .5 .5 .2 1e-9', 'no width or height in the image'),
        ('0 .1 .2 .3 .2 .5 .2', 'no width or height in the image (0.1, 0.2 to 0.5,'),
        ('0 1.004 .5 .004 .2', 'in the image (1.002, 0.4 to 1.006, 0.6); delete the'),
        ('0 .5 -.003 .2 .004', 'in the image (0.4, -0.005 to 0.6, -0.001); delete'),
    ],
)
def test_a_bad_line_is_named_with_the_fix(line, said, tmp_path):
    path = written(tmp_path, f'0 .5 .5 .1 .1\n{line}\n')
    labels = read_labels(path, 3)
    assert labels.ids == [0]
    (fault,) = labels.faults
    assert fault.startswith(f'{path}, line 2: ')
    assert said in fault


def test_labels_lie_apart_or_beside(tmp_path):
    image = tmp_path / 'images' / 'train' / 'é 1.jpg'
    apart = tmp_path / 'labels' / 'train' / 'é 1.txt'
    image.parent.mkdir(parents=True)
    assert label_file(image) == apart
    image.with_suffix('.txt').touch()
    assert label_file(image) == image.with_suffix('.txt')
    apart.parent.mkdir(parents=True)
    apart.touch()
    assert label_file(image) == apart
    assert label_file(tmp_path / 'pics' / 'x.png') == tmp_path / 'pics' / 'x.txt'


def test_names_of_data_yaml(tmp_path):
    path = tmp_path / 'data.yaml'
    path.write_text('train: images\nnames: {1: dog, 0: cat}\n')
    assert read_data_yaml(path) == {'train': 'images', 'names': ['cat', 'dog']}
    for text, said in {
        'names: {0: cat, 2: dog}': 'count them from 0',
        'names: {0: cat, "1": dog}': r"keys \[0, '1'\]; .* without gaps or quotes",
        'names: [cat, dog]\nnc: "2"': "the text '2' as nc; write nc: 2, without",
        'names: [cat, dog]\nnc: 3': 'has nc: 3 and 2 names',
        'nc: 2': 'write names',
        'names: [': 'not whole YAML',
    }.items():
        path.write_text(text)
        with pytest.raises(ValueError, match=said):
            read_data_yaml(path)
