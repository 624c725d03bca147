"""Every model on every set, each image made once, and what is done stays done."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import mmmix.studies.trained.sweep as sweeping
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.sweep import EachImage, sweep

FACTORS = {'a@1': 1, 'b@2': 10}


@pytest.fixture
def made(monkeypatch):
    """Images made so far; models multiply the 'image', a number."""
    monkeypatch.setattr(
        sweeping,
        'predict',
        lambda model, images, infos, size: [i * FACTORS[model.spec] for i in images],
    )
    monkeypatch.setattr(sweeping, 'fingerprint', lambda model: model.spec)
    return []


def numbers(made, count, start, fail_at=None):
    def image(index):
        if index == fail_at:
            raise OSError('no image')
        made.append(start + index)
        return start + index, {}

    return EachImage(count, image, lambda sample, index: [sample, index])


def test_each_image_is_made_once_and_what_is_done_stays_done(made, tmp_path):
    a, b = (SimpleNamespace(spec=spec) for spec in FACTORS)
    store = ResultStore(tmp_path / 'results.json', {})
    of_x = [[5, 0], [6, 1], [7, 2]]
    assert sweep([a], {'x': numbers(made, 3, 5)}, store, 2) == [{'x': of_x}]
    made.clear()
    sets = {'x': numbers(made, 3, 5), 'y': numbers(made, 2, 1)}
    results = sweep([a, b], sets, store, 2)
    assert made == [5, 6, 7, 1, 2]
    assert results == [
        {'x': of_x, 'y': [[1, 0], [2, 1]]},
        {'x': [[50, 0], [60, 1], [70, 2]], 'y': [[10, 0], [20, 1]]},
    ]
    made.clear()
    again = ResultStore(tmp_path / 'results.json', {})
    assert sweep([b, a], sets, again, 2) == results[::-1]
    assert made == []


def test_a_set_that_was_cut_short_is_done_again(made, tmp_path):
    a = SimpleNamespace(spec='a@1')
    store = ResultStore(tmp_path / 'results.json', {})
    sets = {'x': numbers(made, 2, 0), 'y': numbers(made, 4, 0, fail_at=3)}
    with pytest.raises(OSError, match='no image'):
        sweep([a], sets, store, 2)
    assert list(store) == ['a@1 on x']


def test_a_model_that_is_through_is_kept_whatever_becomes_of_the_next(made, tmp_path):
    a, b, bad = (SimpleNamespace(spec=spec) for spec in (*FACTORS, 'bad'))
    store = ResultStore(tmp_path / 'results.json', {})
    sets = {'x': numbers(made, 3, 5)}
    with pytest.raises(KeyError, match='bad'):  # it has no factor
        sweep([a, bad, b], sets, store, 2, apart=True)
    again = ResultStore(tmp_path / 'results.json', {})
    assert list(again) == ['a@1 on x']
    made.clear()
    results = sweep([a, b], sets, again, 2, apart=True)
    assert made == [5, 6, 7]  # b alone
    assert results == sweep([a, b], sets, ResultStore(tmp_path / 'r.json', {}), 2)
