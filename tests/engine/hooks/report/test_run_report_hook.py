"""The page of a run: what is in it, also after a kill, a resume and an error."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.engine import RunReportHook, WholeCheckpointHook
from tests.engine.hooks.report.report_toy import CLASSES, toy_run


def page_of(folder):
    return (folder / 'work/report/index.html').read_text()


def record_of(folder):
    return json.loads((folder / 'work/report/record.json').read_bytes())


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    toy_run(folder)
    return folder


def test_the_page_of_a_whole_run(whole):
    page, record = page_of(whole), record_of(whole)
    assert 'finished' in page
    assert '12 of 12' in page
    curves = record['curves']
    for name in ('train/loss_cls', 'train/loss_bbox', 'train/loss', 'train/lr'):
        assert [point[0] for point in curves[name]] == [2, 4, 6, 8, 10, 12]
    assert curves['train/lr'][-1][1] > curves['train/lr'][0][1] > 0
    assert [point[0] for point in curves['pascal_voc/mAP']] == [4, 8, 12]
    assert not any(name.endswith('time') for name in curves)
    rows = record['mixing']
    assert [row[:2] for row in rows] == [[k, 4] for k in range(2, 13, 2)]
    assert 0 < sum(row[2] for row in rows) < 24
    assert [sum(row[3]) for row in rows] == [row[2] for row in rows]
    assert len(list((whole / 'work/report/pictures').glob('mix_preview_*.jpg'))) == 2
    for name in ('mix_preview, iteration 0', 'best validation images'):
        assert name in page


def test_classes_are_scored_as_the_runs_metric_scores_them(whole):
    record = record_of(whole)
    (found,) = record['validations'].values()
    assert (found['images'], found['iteration']) == (4, 12)
    aps = [entry['ap'] for entry in found['classes']]
    assert [entry['name'] for entry in found['classes']] == list(CLASSES)
    assert np.mean(aps) == pytest.approx(record['curves']['pascal_voc/mAP'][-1][1])


@pytest.fixture
def _due(monkeypatch):
    """A clock that stands: a page costs nothing, so the next one need not wait."""
    clock = SimpleNamespace(monotonic=lambda: 0.0, time=time.time, strftime=str)
    monkeypatch.setattr('mmmix.engine.hooks.report.run_report_hook.time', clock)


@pytest.mark.slow
@pytest.mark.usefixtures('_due')
def test_a_killed_run_has_a_page_and_goes_on_with_its_curves(tmp_path, whole):
    with pytest.raises(KeyboardInterrupt):
        toy_run(tmp_path, stop_at=8)
    page = page_of(tmp_path)
    assert 'running' in page
    assert 'time left' in page
    killed = record_of(tmp_path)['curves']
    assert killed['train/loss'][-1][0] == 8
    with install_safe_loading():
        # What came after this checkpoint is forgotten.
        checkpoint = str(tmp_path / 'work/iter_6.pth')
        toy_run(tmp_path, resume=True, load_from=checkpoint)
    assert 'finished' in page_of(tmp_path)
    resumed, expected = record_of(tmp_path), record_of(whole)
    for name in ('train/lr', 'pascal_voc/mAP'):
        assert resumed['curves'][name] == expected['curves'][name]
    for name in ('train/loss', 'train/loss_cls'):
        steps = [point[0] for point in resumed['curves'][name]]
        assert steps == [2, 4, 6, 8, 10, 12]
    assert resumed['mixing'] == expected['mixing']


@pytest.mark.usefixtures('_due')
def test_a_validation_that_is_made_again_is_on_the_page(tmp_path, whole, monkeypatch):
    """Cut off at its end, where the page may have it already, and the file not."""

    def cut(hook, runner, metrics):
        raise KeyboardInterrupt

    saved = dict(
        checkpoint=dict(type='WholeCheckpointHook', by_epoch=False, interval=4),
        report=dict(type='RunReportHook', interval=2),
    )
    monkeypatch.setattr(WholeCheckpointHook, 'after_val_epoch', cut)
    with pytest.raises(KeyboardInterrupt):
        toy_run(tmp_path, default_hooks=saved)
    monkeypatch.undo()
    with install_safe_loading():
        checkpoint = str(tmp_path / 'work/iter_4.pth')
        toy_run(tmp_path, default_hooks=saved, resume=True, load_from=checkpoint)
    resumed, expected = record_of(tmp_path), record_of(whole)
    for name in ('train/lr', 'pascal_voc/mAP'):
        assert resumed['curves'][name] == expected['curves'][name]


@pytest.mark.usefixtures('_due')
def test_a_page_between_two_points_knows_what_was_mixed(tmp_path, monkeypatch):
    pages = []
    monkeypatch.setattr(
        'mmmix.engine.hooks.report.run_report_hook.render_page',
        lambda record, facts, *rest, **flags: (
            pages.append((facts['iteration'], len(record.mixing))) or ''
        ),
    )
    toy_run(tmp_path, report=dict(interval=10))  # validated after 4 iterations
    done = ['4 of 12', '8 of 12', '10 of 12', '12 of 12']
    assert pages[0] == (done[0], 1)
    assert list(dict.fromkeys(text for text, _ in pages)) == done
    assert [row[0] for row in record_of(tmp_path)['mixing']] == [4, 8, 10, 12]


def test_a_short_run_has_a_point_in_each_iteration(tmp_path):
    toy_run(tmp_path, report=dict(interval=None))
    steps = [point[0] for point in record_of(tmp_path)['curves']['train/loss']]
    assert steps == list(range(1, 13))


@pytest.mark.slow
def test_a_new_run_in_the_same_folder_begins_anew(tmp_path):
    toy_run(tmp_path)
    toy_run(tmp_path, mix=False)
    assert 'No mixer met an image' in page_of(tmp_path)
    assert [p[0] for p in record_of(tmp_path)['curves']['train/lr']][:2] == [2, 4]


@pytest.mark.usefixtures('_due')
def test_an_error_is_said_once_and_ends_nothing(tmp_path, monkeypatch):
    said, tried = [], []

    def broken(*args, **flags):
        tried.append(args)
        raise ZeroDivisionError('no page today')

    monkeypatch.setattr('mmmix.engine.hooks.report.run_report_hook.render_page', broken)
    monkeypatch.setattr(
        'mmmix.visualization.guarded.print_log', lambda text, **_: said.append(text)
    )
    assert toy_run(tmp_path, mix=False).iter == 12
    assert len(tried) > 2
    assert len([text for text in said if 'no page today' in text]) == 1
    assert not (tmp_path / 'work/report/index.html').exists()


def test_only_the_first_process_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(
        'mmmix.engine.hooks.report.run_report_hook.is_main_process', lambda: False
    )
    toy_run(tmp_path)
    assert not (tmp_path / 'work/report').exists()


@pytest.mark.parametrize(
    'settings',
    [dict(interval=0), dict(max_images=0), dict(max_share=0.0), dict(max_share=1.5)],
)
def test_settings_out_of_range(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        RunReportHook(**settings)
