"""What methods gain, study by study, and the picture of it."""

from __future__ import annotations

import re

import pytest

from mmmix.commands import plot_gain
from mmmix.commands.plot_gain import draw, gains_of, parse_study
from mmmix.studies.seeds.records import read_records, write_records
from mmmix.studies.trained.results.figures import grid

SCORES = {
    'a.py': {0: 0.1, 1: 0.2, 2: 0.3},
    'a.py+boxmix': {0: 0.2, 1: 0.4, 5: 0.9},
    'a.py+lossmix': {2: 0.25},
}


def write_study(folder, scores=SCORES, state='done'):
    """Records of a study."""
    folder.mkdir()
    records = {
        f'{config}/seed_{seed}': dict(
            config=f'configs/{config}',
            seed=seed,
            fingerprint='',
            state=state,
            metrics={'mAP': score},
            error=None,
        )
        for config, seeds in scores.items()
        for seed, score in seeds.items()
    }
    write_records(folder, records)
    return folder


def test_gains_are_paired_by_seed(tmp_path):
    gains = gains_of([write_study(tmp_path / 'a')], 'mAP')
    assert list(gains) == ['boxmix', 'lossmix']
    assert gains['boxmix'] == pytest.approx([0.1, 0.2])
    assert gains['lossmix'] == pytest.approx([-0.05])


def test_a_plus_in_a_value_of_a_setting_is_no_method(tmp_path):
    scores = {
        'a.py@lr=1e+3': {0: 0.1, 1: 0.2},
        'a.py+boxmix@lr=1e+3': {0: 0.2, 1: 0.4},
        'a.py+lossmix@mix.ratio.alpha=2e+1@lr=1e+3': {1: 0.1},
    }
    gains = gains_of([write_study(tmp_path / 'a', scores)], 'mAP')
    assert gains == {
        'boxmix@lr=1e+3': pytest.approx([0.1, 0.2]),
        'lossmix@mix.ratio.alpha=2e+1@lr=1e+3': pytest.approx([-0.1]),
    }


@pytest.mark.parametrize('absent', [float('nan'), -1.0])
def test_what_has_no_number_is_no_gain(tmp_path, absent):
    """COCO's -1 stands for no object of a size."""
    scores = {**SCORES, 'a.py+boxmix': {0: 0.2, 1: absent}}
    assert gains_of([write_study(tmp_path / 'a', scores)], 'mAP')['boxmix'] == [0.1]


def test_a_run_of_which_the_best_checkpoint_alone_was_tested_is_left_out(tmp_path):
    folder = write_study(tmp_path / 'a')
    records, _ = read_records(folder)
    one = records['a.py+boxmix/seed_1']
    one['metrics_best'] = one.pop('metrics')
    write_records(folder, records)
    assert gains_of([folder], 'mAP')['boxmix'] == [0.1]


def test_the_drawing_has_means_and_intervals():
    _, ((panel,),) = grid(1, 1, 3, 3)
    draw(panel, {100: {'boxmix': [0.1, 0.2]}, 300: {'boxmix': [0.05]}}, width=0.1)
    (bars,) = panel.containers
    line, _, (segments,) = bars.lines
    assert line.get_xydata().ravel() == pytest.approx([100, 0.15, 300, 0.05])
    (low, high), (same, also) = [s[:, 1] for s in segments.get_segments()]
    # t of one degree of freedom is 12.706; the standard error is 0.05
    assert (low, high) == pytest.approx((0.15 - 0.6353, 0.15 + 0.6353), abs=1e-4)
    assert (same, also) == pytest.approx((0.05, 0.05))


def test_a_logarithmic_axis_is_as_wide_as_its_places():
    _, ((panel,),) = grid(1, 1, 3, 3)
    gains = {100: {'boxmix': [0.1, 0.2]}, 300: {'boxmix': [0.1, 0.3]}}
    draw(panel, gains, width=0.1, log=True)
    low, high = panel.get_xlim()
    assert panel.get_xscale() == 'log'
    assert 80 < low < 100 < 300 < high < 375
    assert list(panel.get_xticks()) == [100, 300]


def test_the_command_draws_a_picture(tmp_path, capsys):
    studies = [f'{n}={write_study(tmp_path / str(n))}' for n in (300, 100)]
    out = tmp_path / 'gain.png'
    options = ['--metric', 'mAP', '--log', '--xlabel', 'images']
    plot_gain.main([*studies, '--out', str(out), *options])
    assert out.read_bytes().startswith(b'\x89PNG')
    assert 'Gains of 2 studies' in capsys.readouterr().out


def test_studies_of_one_place_are_put_together(tmp_path):
    a = write_study(tmp_path / 'a', {'a.py': SCORES['a.py']})
    b = write_study(tmp_path / 'b', {'a.py+boxmix': SCORES['a.py+boxmix']})
    c = write_study(tmp_path / 'c')  # some of the same runs
    gains = gains_of([a, b, c], 'mAP')
    assert gains['boxmix'] == pytest.approx([0.1, 0.2])
    assert gains['lossmix'] == pytest.approx([-0.05])
    words = [f'1={a}', f'3={c}', f'1={b}', '--metric', 'mAP']
    plot_gain.main([*words, '--out', str(tmp_path / 'a.svg')])
    other = write_study(tmp_path / 'd', {'a.py': {1: 0.3}})
    with pytest.raises(ValueError, match='d and another folder .* have a.py/seed_1'):
        gains_of([a, other], 'mAP')


def test_runs_of_other_code_are_told(tmp_path, capsys):
    folder = write_study(tmp_path / '1')
    records, _ = read_records(folder)
    for name, torch in (('a.py/seed_0', '2.9'), ('a.py+boxmix/seed_0', '2.11')):
        records[name]['made_by'] = [{'torch': torch}]
    write_records(folder, records)
    words = [f'1={folder}', '--metric', 'mAP', '--out', str(tmp_path / 'a.svg')]
    plot_gain.main(words)
    said = f'{folder}: Not all runs were made alike, and may differ by that: torch 2.11'
    assert said in capsys.readouterr().out
    records['a.py+boxmix/seed_0']['state'] = 'trained'
    write_records(folder, records)
    plot_gain.main(words)
    assert 'made alike' not in capsys.readouterr().out


def test_what_cannot_be_drawn_is_told(tmp_path, capsys):
    folder = write_study(tmp_path / 'a')
    with pytest.raises(KeyError, match=r"no 'AP'; there are mAP"):
        gains_of([folder], 'AP')
    running = write_study(tmp_path / 'b', state='started')
    with pytest.raises(ValueError, match=r'no finished CONFIG\+METHOD with a seed'):
        gains_of([running], 'mAP')
    with pytest.raises(ValueError, match='no finished'):
        gains_of([tmp_path / 'none'], 'mAP')
    for text in ('100', 'many=a', '100=', 'nan=a', 'inf=a'):
        with pytest.raises(ValueError, match='PLACE=FOLDER'):
            parse_study(text)
    with pytest.raises(SystemExit):
        plot_gain.parse_args(['0=a', '1=b', '--log', '--out', 'x.png'])
    (tmp_path / 'file').touch()
    with pytest.raises(NotADirectoryError, match='choose another --out'):
        plot_gain.main(['1=none', '--out', str(tmp_path / 'file/x.png')])
    for name in ('x.xyz', 'x'):
        with pytest.raises(SystemExit):
            plot_gain.parse_args(['1=a', '--out', name])
        assert 'expected a file that ends in' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('one', 'two', 'how'),
    [
        ('a.py', 'b.py', 'without a method'),
        ('a.py+boxmix', 'b.py+boxmix', 'with boxmix'),
        ('a.py@k=1', 'a.py@k=2', 'without a method'),
    ],
)
def test_two_configs_of_one_method_are_not_mixed_up(one, two, how, tmp_path):
    folder = write_study(tmp_path / 'a', {one: {0: 0.1}, two: {1: 0.2}})
    both = re.escape(f'two configs {how}: configs/{one} and configs/{two}. Make')
    with pytest.raises(ValueError, match=both):
        gains_of([folder], 'mAP')
