"""Tables and figures of a robustness study."""

from __future__ import annotations

import csv

import pytest

from mmmix.studies.trained.results.summary import summarise
from mmmix.studies.trained.robustness.perturbations import parse_perturbations
from mmmix.studies.trained.robustness.report import wide_table, write_report


def record(name, seed, perturbation, value):
    checkpoint = f'{name}{seed}.pth'
    metrics = {'pascal_voc/mAP': value, 'coco/AP': value / 2, 'coco/AP_L': -1.0}
    return dict(
        name=name,
        config=f'{name}.py',
        checkpoint=checkpoint,
        perturbation=str(perturbation),
        metrics=metrics,
    )


VALUES = {
    'clean': {'base': (0.8, 0.6), 'mix': (0.9, 0.8)},
    'gaussian:0.4': {'base': (0.2, 0.4), 'mix': (0.5, 0.5)},
    'fog:1': {'base': (0.4, 0.4), 'mix': (0.6, 0.4)},
    'fog:5': {'base': (0.2, 0.0), 'mix': (0.2, 0.2)},
}


def test_report(tmp_path):
    perturbations = parse_perturbations(['gaussian:0.4', 'fog:1,5'])
    records = [
        record(name, seed, p, value)
        for p in perturbations
        for name, values in VALUES[str(p)].items()
        for seed, value in enumerate(values)
    ]
    text = write_report(tmp_path, records, perturbations)
    assert (tmp_path / 'robustness.md').read_text() == text
    lines = [[c.strip() for c in line.split('|')[1:-1]] for line in text.splitlines()]
    head = ['perturbation', 'base', 'mix', 'Δ mix']
    assert lines[2] == head
    table = {line[0]: line[1:] for line in lines[4:9]}
    # Student's t of one degree of freedom is 12.706: 0.071 becomes 0.635.
    clean = ['0.700 ± 0.141', '0.850 ± 0.071', '+0.150 [-0.485, +0.785]']
    assert table['clean'] == clean
    assert table['gaussian:0.4'][2] == '+0.200 [-1.071, +1.471]'
    # Per seed: base 0.3 and 0.2, mix 0.4 and 0.3.
    assert table['mean of 2 corruptions'][0] == '0.250 ± 0.071'
    assert table['mean of 2 corruptions'][2] == '+0.100 [+0.100, +0.100]'
    assert 'coco/AP; Δ: difference to base' in text
    with (tmp_path / 'cells.csv').open(newline='') as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == len(records)
    assert float(cells[3]['pascal_voc/mAP']) == 0.8
    assert cells[3]['checkpoint'] == 'mix1.pth'
    assert cells[3]['coco/AP_L'] == 'nan'
    with (tmp_path / 'robustness.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]['Δ pascal_voc/mAP']) == pytest.approx(0.15)
    for name in ('pascal_voc_mAP', 'coco_AP'):
        assert (tmp_path / f'{name}.png').read_bytes().startswith(b'\x89PNG')
    with pytest.raises(KeyError, match='voc/AP'):
        write_report(tmp_path, records, perturbations, ['voc/AP'])


def test_cells_have_the_metrics_of_every_config(tmp_path):
    first, second = (record(name, 0, 'clean', 0.5) for name in ('base', 'mix'))
    second['metrics']['pascal_voc/AP50_cat'] = 0.25
    write_report(tmp_path, [first, second], parse_perturbations([]))
    with (tmp_path / 'cells.csv').open(newline='') as file:
        found = [row['pascal_voc/AP50_cat'] for row in csv.DictReader(file)]
    assert found == ['', '0.25']


def test_one_method_has_no_differences():
    rows = summarise(
        [{'model': 'base', 'perturbation': 'clean', 'm': 0.5}], ['perturbation'], ['m']
    )
    assert wide_table(rows, 'm').splitlines()[2:] == [
        '| perturbation |  base |',
        '|--------------|------:|',
        '| clean        | 0.500 |',
    ]
