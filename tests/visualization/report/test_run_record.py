"""The numbers of a run: points, mixing, JSON, and going back."""

from __future__ import annotations

import pytest

from mmmix.visualization.report import BINS, RunRecord
from mmmix.visualization.report.run_record import MAX_POINTS


def test_points_and_mixing_survive_json():
    record = RunRecord()
    record.add('train/loss', 10, 2.5)
    record.add('train/loss', 20, float('nan'))
    record.add_mixing(10, 8, [0.0, 0.31, 1.0])
    record.pictures['a'] = 'a.jpg'
    again = RunRecord.loads(record.dumps())
    assert vars(again) == vars(record)
    assert again.curves == {'train/loss': [[10, 2.5], [20, None]]}
    counts = again.lam_counts()
    assert [counts[0], counts[6], counts[BINS - 1], counts.sum()] == [1, 1, 1, 3]
    assert again.mixed_share() == [[10, 3 / 8]]


def test_a_run_that_goes_on_forgets_what_came_later():
    record = RunRecord()
    for step in (10, 20, 30):
        record.add('train/loss', step, step)
        record.add_mixing(step, 4, [0.5])
        record.pictures[f'mix_preview, iteration {step}'] = f'{step}.jpg'
    record.validations = {'teacher': {'iteration': 20}, 'student': {'iteration': 30}}
    record.pictures['best validation images of the student: objects'] = 'best.jpg'
    record.cut(20)
    assert record.curves['train/loss'] == [[10, 10.0], [20, 20.0]]
    assert [row[0] for row in record.mixing] == [10, 20]
    assert list(record.validations) == ['teacher']
    # The batch of number 20 is the first one that comes again.
    assert record.pictures == {'mix_preview, iteration 10': '10.jpg'}


def test_a_validation_that_is_made_again_gives_one_point():
    record = RunRecord()
    for step, value in ((10, 0.1), (20, 0.2), (20, 0.25)):
        record.add('coco/AP', step, value)
    assert record.curves['coco/AP'] == [[10, 0.1], [20, 0.25]]


def test_long_runs_keep_their_ends_and_their_sums():
    record = RunRecord()
    for step in range(1, 2 * MAX_POINTS + 2):
        record.add('train/loss', step, step)
        record.add_mixing(step, 4, [step % BINS / BINS])
    points = record.curves['train/loss']
    assert len(points) <= MAX_POINTS
    assert len(record.mixing) <= MAX_POINTS
    assert points[-1] == [2 * MAX_POINTS + 1, 2.0 * MAX_POINTS + 1]
    assert points == sorted(points)
    assert record.mixing[-1][0] == 2 * MAX_POINTS + 1
    assert sum(row[1] for row in record.mixing) == 4 * (2 * MAX_POINTS + 1)
    assert record.lam_counts().sum() == 2 * MAX_POINTS + 1


@pytest.mark.parametrize('content', [b'{', b'[]', b'{"curves": {}}'])
def test_other_files_are_refused(content):
    with pytest.raises(ValueError, match='expected the record|Expecting'):
        RunRecord.loads(content)
