"""The table of plain runs in other steps says what its records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import paired_differences

from .evidence_page import (
    base_and_differences,
    cells,
    config_of,
    mean_and_differences,
    of_photographs,
    scores_of,
    training_map,
    without_seeds,
)

STUDIES = {
    '100 images, 60 epochs, 16 a step': 'ssd160-100-flip-60',
    '100 images, 28 epochs, 8 a step': 'ssd160-100-flip-28-b8',
    '100 images, 60 epochs, 8 a step': 'ssd160-100-flip-60-b8',
    '100 images, 180 epochs, 16 a step': 'ssd160-100-flip-180',
    '100 images, 180 epochs, 8 a step': 'ssd160-100-flip-180-b8',
    '300 images, 60 epochs, 16 a step': 'ssd160-300-flip-60',
    '300 images, 28 epochs, 8 a step': 'ssd160-300-flip-28-b8',
    '1,200 images, 30 epochs, 16 a step (H100)': 'ssd160-1200-flip-30-h100',
    '1,200 images, 15 epochs, 8 a step': 'ssd160-1200-flip-15-b8',
    '100 images, jittered, 60 epochs, 16 a step': 'ssd160-100-jitter-60',
    '100 images, cropped, 60 epochs, 16 a step': 'ssd160-100-crop-60',
    '100 images, cropped, 60 epochs, 8 a step': 'ssd160-100-crop-60-b8',
    '100 images, cropped, 180 epochs, 8 a step': 'ssd160-100-crop-180-b8',
    '100 images, cropped, 540 epochs, 8 a step': 'ssd160-100-crop-540-b8',
    '30 images, cropped, 400 epochs, 8 a step': 'ssd160-30-crop-400-b8',
    '300 images, cropped, 60 epochs, 16 a step': 'ssd160-300-crop-60',
    '1,200 images, cropped, 30 epochs, 8 a step': 'ssd160-1200-crop-30-b8',
}


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row):
    methods = ('', '+boxmix', '+lossmix')
    config = config_of(row)
    scores = scores_of(STUDIES[row], *(f'{config}{method}' for method in methods))
    seeds, *numbers = base_and_differences(scores, 'pascal_voc/mAP')
    _, *recall = base_and_differences(scores, 'coco/AR_100')
    assert cells(row, of_photographs('regimes')) == [
        seeds,
        training_map(STUDIES[row]),
        *numbers,
        *recall,
    ]


STEPS = {
    '100 images, 60 epochs for 60, twice the steps': (
        '100-flip-60-b8',
        '100-flip-60',
    ),
    '100 images, 180 epochs for 180, twice the steps': (
        '100-flip-180-b8',
        '100-flip-180',
    ),
    '100 images, 28 epochs for 60, as many steps': ('100-flip-28-b8', '100-flip-60'),
    '300 images, 28 epochs for 60, as many steps': ('300-flip-28-b8', '300-flip-60'),
    '1,200 images, 15 epochs for 30, as many steps, CPU for H100': (
        '1200-flip-15-b8',
        '1200-flip-30-h100',
    ),
}


@pytest.mark.parametrize('row', STEPS)
def test_what_half_the_batch_gives_the_plain_run_is_that_of_the_records(row):
    small, large = (
        next(iter(scores_of(f'ssd160-{folder}', config_of(row)).values()))
        for folder in STEPS[row]
    )
    spreads = [
        paired_differences({'16': large, '8': small}, metric)['8']
        for metric in ('pascal_voc/mAP', 'coco/AR_100')
    ]
    assert cells(row, of_photographs('regimes')) == [
        str(spreads[0].n),
        *(without_seeds(spread.interval()) for spread in spreads),
    ]


def test_what_jitter_of_colours_gives_the_plain_run():
    plain = scores_of('ssd160-100-flip-60', config_of('100 images, 60 epochs'))
    jittered = config_of('100 images, jittered, 60 epochs')
    scores = plain | scores_of('ssd160-100-jitter-60', jittered)
    _, _, precision, *_, recall = mean_and_differences(scores)
    told = f'mAP {precision} and AR {recall}'.replace('0.', '.')
    assert told in ' '.join(of_photographs('regimes').split())
