"""The tables of teachers and of drawings say what their records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import Scores

from .evidence_page import (
    cells,
    mean_and_differences,
    of_photographs,
    scores_of,
    seeds_and_means,
    text_of,
)

PAGE = of_photographs('teachers')
PROSE = ' '.join(PAGE.split())
FRONT = ' '.join(text_of('evidence.md').split())
MAP = 'pascal_voc/mAP'
SEMI, DRAWN = (f'ssd160-lite0_animals100-{name}' for name in ('semi', 'cartoon'))
CROPPED = 'ssd160-lite0_animals100-crop-semi'
FASTER = 'faster-rcnn160-lite0_animals100'
ROWS = {
    'the 100 labelled alone': ('ssd160-100-flip-60', 'ssd160-lite0_animals100'),
    'the same, 8 a step': ('ssd160-100-flip-28-b8', 'ssd160-lite0_animals100'),
    'mean teacher': ('ssd160-semi', f'{SEMI}_mean-teacher'),
    'mean teacher (H100)': ('ssd160-semi-h100', f'{SEMI}_mean-teacher'),
    'cropped, 8 a step': ('ssd160-100-crop-28-b8', 'ssd160-lite0_animals300-crop'),
    'mean teacher, cropped': ('ssd160-semi-crop', f'{CROPPED}_mean-teacher'),
    'Faster R-CNN, 8 a step': ('faster-rcnn160-100-flip-28-b8', FASTER),
    'mean teacher, Faster R-CNN': (
        'faster-rcnn160-semi',
        f'{FASTER}-semi_mean-teacher',
    ),
    'all 1,200 labelled (H100)': (
        'ssd160-1200-flip-30-h100',
        'ssd160-lite0_animals1200',
    ),
    'all 1,200 labelled': ('ssd160-1200-flip-5', 'ssd160-lite0_animals1200'),
    'source only': ('ssd160-cartoon', f'{DRAWN}_source-only'),
    'a teacher': ('ssd160-cartoon', f'{DRAWN}_mean-teacher'),
    'Adaptive Teacher': ('ssd160-cartoon', f'{DRAWN}_adaptive-teacher'),
    'a teacher with Noise': ('ssd160-cartoon', f'{DRAWN}_noise'),
    'a teacher with Union': ('ssd160-cartoon', f'{DRAWN}_union'),
    'a teacher with LossMix': ('ssd160-cartoon', f'{DRAWN}_lossmix'),
    'the drawings labelled': ('ssd160-cartoon', f'{DRAWN}_oracle'),
    **{
        f'{name}, 1,000 iterations': ('ssd160-cartoon-1000', f'{DRAWN}_{config}')
        for name, config in (
            ('source only', 'source-only'),
            ('a teacher', 'mean-teacher'),
            ('a teacher with LossMix', 'lossmix'),
        )
    },
    'source only, from crops': ('ssd160-cartoon-crop', f'{DRAWN}_source-only'),
    'a teacher, from crops': ('ssd160-cartoon-crop', f'{DRAWN}_mean-teacher'),
    'a teacher with LossMix, from crops': ('ssd160-cartoon-crop', f'{DRAWN}_lossmix'),
    'the drawings labelled, from crops': ('ssd160-cartoon-crop', f'{DRAWN}_oracle'),
}


SETTINGS = {
    f'a teacher, pseudo-labels above {score}': (
        'ssd160-cartoon-thr',
        f'{DRAWN}_mean-teacher.py@model.semi_train_cfg.cls_pseudo_thr={score}',
    )
    for score in (0.3, 0.5, 0.7)
}
SETTINGS |= {
    f'LossMix without {name}': (
        'ssd160-cartoon-terms',
        f'{DRAWN}_lossmix.py@model.semi_train_cfg.lambda_{term}=0.0',
    )
    for name, term in (
        ('the adversary', 'disc'),
        ('source × target', 'mst'),
        ('noise in the warm-up', 'nst'),
        ('target × target', 'mtt'),
    )
}


@pytest.mark.parametrize('row', [*ROWS, *SETTINGS])
def test_a_row_is_that_of_its_records(row):
    folder, config = SETTINGS.get(row) or (ROWS[row][0], f'{ROWS[row][1]}.py')
    assert cells(row, PAGE) == seeds_and_means(scores_of(folder, config))


ON_TOP = {
    f'{name} on the teacher{where}': (folder, f'{SEMI}_mean-teacher-{name.lower()}')
    for where, folder in (('', 'ssd160-semi'), (' (H100)', 'ssd160-semi-h100'))
    for name in ('LossMix', 'BoxMix')
}
ON_TOP |= {
    f'LossMix on the teacher, {where}': (folder, f'{config}_mean-teacher-lossmix')
    for where, folder, config in (
        ('cropped', 'ssd160-semi-crop', CROPPED),
        ('Faster R-CNN', 'faster-rcnn160-semi', f'{FASTER}-semi'),
    )
}


def scores_on_top(row: str) -> Scores:
    """Those of the teacher alone, then those of mixing on it."""
    folder, config = ON_TOP[row]
    alone = config.removesuffix('-lossmix').removesuffix('-boxmix')
    return scores_of(folder, f'{alone}.py', f'{config}.py')


@pytest.mark.parametrize('row', ON_TOP)
def test_what_mixing_adds_to_a_teacher_is_that_of_its_records(row):
    assert cells(row, PAGE) == mean_and_differences(scores_on_top(row))


def scores_of_rows(*rows: str) -> Scores:
    """Those of several rows of the page, in this order."""
    found = {}
    for row in rows:
        folder, config = ROWS[row]
        found |= scores_of(folder, f'{config}.py')
    return found


def test_what_a_teacher_gains_on_top_of_crops():
    scores = scores_of_rows('cropped, 8 a step', 'mean teacher, cropped')
    base, taught = scores.values()
    told = [f'{taught[s][MAP] - base[s][MAP]:.3f}'.removeprefix('0') for s in (0, 1)]
    assert '+ {} and + {} of mAP over the plain run'.format(*told) in PROSE
