"""All benchmarks in one go."""

from __future__ import annotations

import json

import pytest

from mmmix.apis.configs.config_reading import read_config
from mmmix.commands import benchmark_gpu


def test_arguments_of_a_suite(tmp_path):
    options = ['--out', str(tmp_path), '--device', 'cpu', '--only', 'yolov3']
    args = benchmark_gpu.parse_args(options)
    argv = benchmark_gpu.arguments('yolov3', args, amp=False)
    assert argv[:5] == list(benchmark_gpu.SUITES['yolov3'].configs)
    assert argv[5:10] == ['--batch-size', '8', '--size', '416', '416']
    small = benchmark_gpu.parse_args([*options, '--small'])
    argv = benchmark_gpu.arguments('yolov3', small, amp=False)
    assert argv[5:12] == ['--batch-size', '2', '--size', '64', '64', '--rounds', '2']
    with pytest.raises(SystemExit):
        benchmark_gpu.parse_args([*options, '--amp'])


@pytest.mark.parametrize('name', benchmark_gpu.SUITES)
def test_all_configs_are_there(name):
    for config in benchmark_gpu.SUITES[name].configs:
        assert read_config(config, None).model


def test_what_fails_is_named_and_stops_nothing(tmp_path, monkeypatch, capsys):
    def fails(argv):
        raise ValueError('out of memory')

    monkeypatch.setattr(benchmark_gpu.benchmark_step, 'main', fails)
    options = ['--out', str(tmp_path), '--device', 'cpu', '--small']
    with pytest.raises(RuntimeError, match=r'1 benchmarks failed, fcos: ValueError'):
        benchmark_gpu.main([*options, '--only', 'fcos', 'sinkhorn'])
    content = json.loads((tmp_path / 'price.json').read_text())
    assert content['failed'] == {'fcos': 'ValueError: out of memory'}
    assert content['results']['sinkhorn']
    assert '| sinkhorn' in (tmp_path / 'price.md').read_text()
    assert 'out of memory' in capsys.readouterr().err
