"""The two tables of other detectors than SSD say what their records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import Scores

from .evidence_page import (
    base_and_differences,
    cells,
    mean_and_differences,
    of_photographs,
    scores_of,
    text_of,
    training_map,
)
from .test_front_table import MAP, METHODS, RECALL

STUDIES = {
    'Faster R-CNN, 100 images': (
        'faster-rcnn160-100-flip-60-b4',
        'faster-rcnn160-lite0_animals100',
    ),
    'RetinaNet, 100 images': (
        'retinanet160-100-flip-60',
        'retinanet160-lite0_animals100',
    ),
    'RetinaNet, 100 images, cropped': (
        'retinanet160-100-crop-60',
        'retinanet160-lite0_animals300-crop',
    ),
    'RetinaNet, 100 images, cropped, 180 epochs': (
        'retinanet160-100-crop-180',
        'retinanet160-lite0_animals300-crop',
    ),
    'YOLOv3, 100 images': ('yolov3-160-100-flip-60', 'yolov3-160-lite0_animals100'),
    'YOLOv3, 100 images, cropped': (
        'yolov3-160-100-crop-60',
        'yolov3-160-lite0_animals300-crop',
    ),
}
IN_SHORT = [
    'Faster R-CNN, 100 images',
    'RetinaNet, 100 images',
    'RetinaNet, 100 images, cropped',
    'YOLOv3, 100 images',
    'YOLOv3, 100 images, cropped',
]
"""The rows that the page of evidence has, too."""


def scores_of_detector(row: str, *methods: str) -> Scores:
    """The records behind a row: its plain runs, then those of methods."""
    folder, config = STUDIES[row]
    mixed = (f'{config}.py+{method}' for method in methods)
    return scores_of(folder, f'{config}.py', *mixed)


def tables() -> tuple[str, str]:
    """The table of mAP, and that of recall."""
    above, _, recall = of_photographs('detectors').partition("COCO's AR of 100")
    return above, recall


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row):
    scores = scores_of_detector(row, *METHODS)
    seeds, *numbers = base_and_differences(scores, MAP)
    mean_ap, recall = tables()
    assert cells(row, mean_ap) == [seeds, training_map(STUDIES[row][0]), *numbers]
    assert cells(row, recall) == base_and_differences(scores, RECALL)


def test_every_row_has_records():
    for table in tables():
        names = [line.split(' | ')[0][2:] for line in table.splitlines()]
        assert [n for n in names if ', 100 i' in n or ', 300 i' in n] == list(STUDIES)


@pytest.mark.parametrize('row', IN_SHORT)
def test_the_page_of_evidence_has_the_rows_in_short(row):
    mean_ap, recall = (cells(row, table) for table in tables())
    seeds, _, plain, *differences = mean_ap
    # of recall BoxMix alone, behind the mAP of all
    assert cells(row, text_of('evidence.md')) == [seeds, plain, *differences, recall[2]]


OTHERS = {
    'Noise': ('YOLOv3', 'RetinaNet', 'Faster R-CNN'),
    'CutMix': ('RetinaNet',),
    'Union': ('RetinaNet', 'Faster R-CNN'),
}


@pytest.mark.parametrize(
    'row', [f'{m}, {d}' for m, some in OTHERS.items() for d in some]
)
def test_the_other_methods_are_those_of_their_records(row):
    method, detector = row.split(', ')
    scores = scores_of_detector(f'{detector}, 100 images', method.lower())
    assert cells(row, of_photographs('detectors')) == mean_and_differences(scores)
