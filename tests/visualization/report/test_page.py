"""The page of a run: what stands in it, and that it needs nothing else."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from mmmix.visualization.report import RunRecord, draw_examples, render_page, shrink
from mmmix.visualization.report.figures import bars
from mmmix.visualization.report.page import by_model, metric_rows

RECALLS = [0.0, 0.5, 1.0]


def filled():
    record = RunRecord()
    for step in (10, 20):
        record.add('train/loss_cls', step, 1 / step)
        record.add('train/lr', step, 0.1)
        for model in ('teacher', 'student'):
            record.add(f'{model}/pascal_voc/mAP', step, step / 100)
        record.add('coco/AP_L', step, -1.0)
        record.add_mixing(step, 8, [0.25] * 6)
    classes = [
        dict(name='<cat> & $x_1$', objects=3, ap=0.5, precision=[1.0, 0.5, None]),
        dict(name='dog', objects=0, ap=None, precision=None),
    ]
    record.validations['teacher'] = dict(
        classes=classes, images=4, left_out=2, best=[], worst=[], iteration=20
    )
    return record


def figures(page):
    return {
        alt: base64.b64decode(content).decode()
        for content, alt in re.findall(
            r'src="data:image/svg\+xml;base64,([^"]*)" alt="([^"]*)"', page
        )
    }


def test_everything_is_in_one_file():
    page = render_page(filled(), {'title': 'a <run>', 'state': 'running'}, {}, RECALLS)
    page = page.decode()
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert 'url(' not in page
    assert '<script' not in page
    assert '<h1>a &lt;run&gt;</h1>' in page
    assert '12 of 16 images' in page
    assert 'The other 2 ' in page
    assert set(figures(page)) == {
        'Metrics over iterations',
        'AP of each class',
        'Precision over recall of each class',
        'Loss terms over iterations',
        'Learning rate and others over iterations',
        'Histogram of λ',
    }


def test_figures_name_what_they_show():
    drawn = figures(render_page(filled(), {'title': 'x'}, {}, RECALLS).decode())
    metrics = drawn['Metrics over iterations']
    assert 'pascal_voc/mAP' in metrics
    assert 'teacher' in metrics
    assert 'student' in metrics
    assert 'AP_L' not in metrics  # COCO's -1: there are no large objects
    assert 'loss_cls' in drawn['Loss terms over iterations']
    assert 'share of images mixed' in drawn['Learning rate and others over iterations']
    assert '0.500' in drawn['AP of each class']


def test_a_page_before_anything_happened():
    page = render_page(RunRecord(), {'title': 'x'}, {}, RECALLS).decode()
    assert figures(page) == {}
    for text in ('Not validated yet', 'No iteration yet', 'No mixer', 'No pictures'):
        assert text in page


def test_metrics_of_teacher_and_student_share_their_axes():
    point = [[1, 0.5]]
    curves = {'teacher/voc/mAP': point, 'student/voc/mAP': point, 'coco/AP': point}
    assert by_model(curves) == {
        'voc/mAP': {'teacher': point, 'student': point},
        'coco/AP': {'': point},
    }


def test_the_largest_value_is_named_with_its_iteration():
    points = [[1, 0.2], [2, 0.7], [3, None], [4, 0.5]]
    undefined = [[1, -1.0]]
    assert metric_rows({'mAP': points, 'AP_L': undefined}) == [
        ('mAP', '0.5000', '0.7000', 2)
    ]


def test_names_that_are_no_formulas():
    """An error over one would cost the page."""
    name = r'a$\x_$b'
    record = filled()
    record.validations['teacher']['classes'][0]['name'] = name
    record.add(name, 10, 0.5)
    page = render_page(record, {'title': name}, {}, RECALLS).decode()
    drawn = figures(page)
    for alt in (
        *('Metrics over iterations', 'AP of each class'),
        'Precision over recall of each class',
    ):
        assert name in drawn[alt]


def test_figures_are_the_same_each_time():
    values = {'': {'cat': 0.5, 'dog': 0.25}}
    assert bars(values) == bars(values)


def test_examples_show_objects_above_detections(tmp_path):
    path = str(tmp_path / 'an image $_{$.png')
    cv2.imwrite(path, np.full((60, 80, 3), 255, np.uint8))
    entry = dict(
        path=path,
        value=0.5,
        truth=[[10, 10, 40, 40, 0]],
        found=[[30, 20, 70, 50, 1, 0.9]],
    )
    picture = cv2.imdecode(
        np.frombuffer(draw_examples([entry, entry], ['cat', 'dog']), np.uint8), 1
    ).astype(int)
    assert picture.shape[:2] == (520, 520)
    above, below = picture[:260], picture[260:]
    green = [(half[..., 1] - half[..., 2] > 60).sum() for half in (above, below)]
    red = [(half[..., 2] - half[..., 1] > 60).sum() for half in (above, below)]
    assert green[0] > 200 > 20 > green[1]
    assert red[1] > 200 > 20 > red[0]


def test_pictures_become_small(tmp_path):
    path = tmp_path / 'big.png'
    cv2.imwrite(str(path), np.zeros((1500, 3000, 4), np.uint8))
    small = cv2.imdecode(np.frombuffer(shrink(path), np.uint8), 1)
    assert small.shape == (500, 1000, 3)


def test_the_page_of_a_classifier_has_no_objects():
    record = RunRecord()
    record.add('train/loss', 10, 0.5)
    record.add('accuracy/top1', 10, 40.0)
    facts = {'title': 'a', 'state': 'running'}
    mixed = {**facts, 'mixed by': 'Mixup'}
    plain, page = (
        render_page(record, given, {}, RECALLS, detects=False).decode()
        for given in (facts, mixed)
    )
    for text in (plain, page):
        assert re.findall(r'<h2 id="(\w+)"', text) == ['metrics', 'training', 'mixing']
        assert re.findall(r'href="#(\w+)"', text) == ['metrics', 'training', 'mixing']
        assert 'accuracy/top1' in text
        for word in ('AP ', 'objects', 'No pictures'):
            assert word not in text
    assert 'trains on unmixed images' in plain
    assert 'trains on unmixed images' not in page
    assert 'Mixup: of classifiers it is not counted' in page


@pytest.mark.parametrize('orientation', [1, 5, 6, 7, 8])
def test_a_photo_is_drawn_as_it_was_loaded(tmp_path, orientation):
    """As it is stored, where its boxes are for that; else as EXIF turns it."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    stored = Image.fromarray(pixels).resize((50, 30))
    exif = Image.Exif()
    exif[274] = orientation
    stored.save(tmp_path / 'turned.png', exif=exif)
    stored.save(tmp_path / 'plain.png')
    boxes = dict(value=0.5, truth=[[5, 5, 20, 25, 0]], found=[])

    def drawn(name, **more):
        path = tmp_path / name / 'a.png'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((tmp_path / f'{name}.png').read_bytes())
        return draw_examples([dict(boxes, path=str(path), **more)], ['cat'])

    assert drawn('turned', shape=[30, 50]) == drawn('plain', shape=[30, 50])
    same = orientation == 1
    for more in (dict(), dict(shape=[50, 30])):  # a record of before has no shape
        assert (drawn('turned', **more) == drawn('plain')) == same
