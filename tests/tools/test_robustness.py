"""test_robustness.py from the command line to its files."""

from __future__ import annotations

import json
import runpy

import pytest

from mmmix.studies.trained.images.decoded import DecodedImages
from tests.studies.trained.conftest import tiny_study  # noqa: F401  a fixture

TOOL = 'mmmix.commands.robustness'


def run(*args: str) -> None:
    runpy.run_module(TOOL)['main'](list(args))


def test_two_models(tiny_study, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.chdir(tiny_study.root)
    model = f'{tiny_study.spec.config}@{tiny_study.spec.checkpoint}'
    out = ['--out', str(tmp_path / 'out'), '--limit', '2', '--device', 'cpu']
    run(f'a={model}', f'b={model}', *out, '--perturbations', 'gaussian:0.2')
    parts = json.loads((tmp_path / 'out/results.json').read_text())['parts']
    # The two models are one by their content.
    assert [key.split(' on ')[1] for key in parts] == ['clean', 'gaussian:0.2']
    files = {path.name for path in (tmp_path / 'out').iterdir()}
    tables = {'robustness.md', 'robustness.csv', 'cells.csv', 'results.json'}
    assert files == {*tables, 'pascal_voc_mAP.png', 'coco_AP.png'}
    text = (tmp_path / 'out/robustness.md').read_text()
    assert '| gaussian:0.2 |' in text
    assert 'Δ b' in text
    # What is there is not done again, other settings are no continuation.
    monkeypatch.setattr(DecodedImages, '__getitem__', None)
    run(f'a={model}', *out, '--perturbations', 'gaussian:0.2', '--metric', 'coco/AP50')
    with pytest.raises(ValueError, match='seed: 0 there, 1 now'):
        run(f'a={model}', *out, '--seed', '1')


def test_a_misspelt_metric_is_said_after_the_clean_images(
    tiny_study,  # noqa: F811
    monkeypatch,
    tmp_path,
):
    monkeypatch.chdir(tiny_study.root)
    model = f'{tiny_study.spec.config}@{tiny_study.spec.checkpoint}'
    out = ['--out', str(tmp_path / 'out'), '--limit', '2', '--device', 'cpu']
    with pytest.raises(KeyError, match='no result has the metrics .*coco/ap'):
        run(f'a={model}', *out, '--metric', 'coco/ap')
    parts = json.loads((tmp_path / 'out/results.json').read_text())['parts']
    assert [key.split(' on ')[1] for key in parts] == ['clean']


def test_models_of_several_maps_are_refused(tiny_study, tmp_path):  # noqa: F811
    _, config, checkpoint = tiny_study.spec
    area = tmp_path / 'area.py'
    voc = "dict(type='VOCMetric', eval_mode='area')"
    area.write_text(f'_base_ = {config!r}\ntest_evaluator = [{voc}]\n')
    models = [f'{path}@{checkpoint}' for path in (config, area)]
    with pytest.raises(ValueError, match="11points.*area.py .*'eval_mode': 'area'"):
        run(*models, '--out', str(tmp_path / 'out'), '--device', 'cpu')


def test_wrong_arguments(capsys):
    with pytest.raises(SystemExit):
        run('c.py@x.pth', '--out', 'x', '--perturbations', 'rain')
    assert "no perturbation 'rain'" in capsys.readouterr().err
