"""Points of the curves of what a run logs."""

from __future__ import annotations

import pytest
from mmengine.logging import HistoryBuffer, MessageHub

from mmmix.engine.hooks.report.logged_curves import LoggedCurves


@pytest.fixture
def hub():
    return MessageHub.get_instance('test_logged_curves')


@pytest.fixture(autouse=True)
def _empty(hub):
    hub.log_scalars.clear()


def log(hub, **values):
    for name, value in values.items():
        hub.update_scalar(f'train/{name}', value)


def test_a_point_is_the_mean_of_what_no_point_has(hub):
    curves = LoggedCurves(hub, most=3)
    log(hub, loss=1.0, time=9.0)
    log(hub, loss=2.0)
    hub.update_scalar('val/loss', 7.0)
    assert dict(curves.points()) == {'train/loss': 1.5}
    assert dict(curves.points()) == {}
    for loss in range(5):
        log(hub, loss=loss)
    assert dict(curves.points()) == {'train/loss': 3.0}  # of 2, 3, 4


def test_what_is_logged_now_and_then_is_not_averaged_over_the_past(hub):
    """teacher_distance, every fifty iterations, at the points of every ten."""
    curves, found = LoggedCurves(hub, most=10), []
    for iteration in range(1, 151):
        log(hub, loss=0.5)
        if iteration % 50 == 0:
            log(hub, teacher_distance=200 - iteration)
        if iteration % 10 == 0:
            found.append(dict(curves.points()).get('train/teacher_distance'))
    assert [value for value in found if value is not None] == [150, 100, 50]
    assert [place for place, value in enumerate(found, 1) if value] == [5, 10, 15]


def test_a_curve_ends_with_its_values_and_begins_anew(hub):
    curves = LoggedCurves(hub, most=2)
    log(hub, a=1.0)
    log(hub, a=1.0)
    assert dict(curves.points()) == {'train/a': 1.0}
    del hub.log_scalars['train/a']  # as DomainTeacherHook does
    assert dict(curves.points()) == {}
    log(hub, a=4.0)
    assert dict(curves.points()) == {'train/a': 4.0}


def test_what_a_resumed_run_has_logged_before_is_no_point(hub):
    log(hub, a=1.0)
    curves = LoggedCurves(hub, most=5)
    log(hub, a=3.0)
    assert dict(curves.points()) == {'train/a': 3.0}


def test_a_full_buffer_goes_on(hub):
    hub.log_scalars['train/a'] = HistoryBuffer([1.0, 1.0], [1, 1], max_length=2)
    curves = LoggedCurves(hub, most=1)
    log(hub, a=5.0)
    assert dict(curves.points()) == {'train/a': 5.0}
