"""The benchmark of assignments: that the two agree, and what it reports."""

from __future__ import annotations

import json
import runpy

import pytest

TOOL = 'mmmix.commands.benchmark_sinkhorn'
SMALL = ['--size', '6', '5', '--channels', '64', '--pairs', '2', '--device', 'cpu']


@pytest.fixture(scope='module')
def tool():
    return runpy.run_module(TOOL)


def test_both_make_the_same_plan_and_ours_needs_less_memory(tool, tmp_path, capsys):
    out = tmp_path / 'sinkhorn.json'
    more = ['--rounds', '2', '--warmups', '1', '--iterations', '30', '--out', str(out)]
    summaries = tool['main']([*SMALL, *more, '--tolerance', '1e-4'])
    content = json.loads(out.read_text())
    assert len(content['rounds']) == 2
    assert content['summary'] == summaries
    peaks = {name: summary['peak_bytes'] for name, summary in summaries.items()}
    # The broadcast difference alone: channels x cells x cells of 4 bytes.
    assert peaks['naive'] >= 64 * 30 * 30 * 4
    assert peaks['assignment'] < peaks['naive'] / 2
    assert summaries['naive']['ratio']['median'] == 1
    ratios = sorted(
        record['assignment']['seconds'] / record['naive']['seconds']
        for record in content['rounds']
    )
    median = summaries['assignment']['ratio']['median']
    assert median == pytest.approx(sum(ratios) / 2)
    printed = capsys.readouterr().out
    assert '2 pairs of 64 x 6 x 5' in printed
    assert '| naive ' in printed


def test_plans_that_differ_are_noticed(tool):
    options = ['--rounds', '1', '--warmups', '0', '--iterations', '3']
    with pytest.raises(ArithmeticError, match='more than --tolerance -1'):
        tool['main']([*SMALL, *options, '--tolerance', '-1'])
    with pytest.raises(SystemExit):
        tool['parse_args'](['--channels', '0'])
