"""The benchmark of teacher updates: what it times, and that the two hooks agree."""

from __future__ import annotations

import json
import runpy

import pytest
from torch import nn

from mmmix.engine import MixTeacherHook

TOOL = 'mmmix.commands.benchmark_ema'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_module(TOOL)


def arguments(*more):
    return ['--config', 'mmmix::demo/ssd_digits.py', '--rounds', '2', *more]


def test_both_hooks_make_the_same_updates(tool, tmp_path, capsys):
    out = tmp_path / 'ema.json'
    options = ['--warmups', '1', '--updates', '2', '--momentum', '0.3']
    more = ['--device', 'cpu', '--goal', '1000', '--out', str(out)]
    summaries = tool['main'](arguments(*options, *more))
    content = json.loads(out.read_text())
    assert len(content['rounds']) == 2
    assert list(summaries) == ['MixTeacherHook', 'MeanTeacherHook']
    ours, theirs = (
        [record[name]['seconds'] for record in content['rounds']] for name in summaries
    )
    ratios = sorted(our / their for their, our in zip(theirs, ours))
    median = summaries['MixTeacherHook']['ratio']['median']
    assert median == pytest.approx(sum(ratios) / 2)
    assert summaries['MeanTeacherHook']['ratio']['median'] == 1
    assert 'verdict' in summaries['MixTeacherHook']
    assert 'MixTeacherHook' in capsys.readouterr().out


def test_an_update_is_one_of_the_hook(tool):
    """Two rounds of three updates by the formula, from a ticking clock."""
    teacher, student = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    student.running_mean.fill_(1.0)
    student.weight.data.fill_(2.0)
    model = nn.ModuleDict(dict(teacher=teacher, student=student))
    ticks = iter(range(0, 100, 6))
    hook = MixTeacherHook(0.5, buffers='ema', distance_interval=0)
    updates = tool['Updates'](hook, model, 3, lambda: next(ticks))
    assert teacher.weight.item() == 1.0
    assert [updates(0), updates(1)] == [{'seconds': 2.0}] * 2
    assert teacher.weight.item() == 2 - 0.5**6
    assert teacher.running_mean.item() == 1 - 0.5**6


def test_detectors_begin_with_their_initial_weights(tool):
    """SSD's L2Norm leaves what its memory held until then."""
    given = ['--config', 'mmmix::ssd300_voc.py', '--device', 'cpu']
    for updates in tool['contenders'](tool['parse_args'](given)).values():
        for detector in updates.model.values():
            assert detector.neck.l2_norm.weight.unique().tolist() == [20.0]


def test_teachers_that_differ_are_noticed(tool):
    args = tool['parse_args'](arguments('--device', 'cpu'))
    updates = tool['contenders'](args)
    for contender in updates.values():
        contender(0)
    tool['check_agreement'](updates, {})
    updates['MeanTeacherHook'].model.teacher.bbox_head.cls_convs[0][0].bias.data += 1
    with pytest.raises(
        ArithmeticError, match=r'differ in bbox_head.cls_convs.0.0.bias'
    ):
        tool['check_agreement'](updates, {})
    with pytest.raises(SystemExit):
        tool['parse_args'](arguments('--updates', '0'))
