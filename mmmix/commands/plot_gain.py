r"""Draw what methods gain against the number of images, or the length of training.

Each study of study.py has a place on the axis, given as PLACE=FOLDER; the folder needs
its results.json alone. Studies with one place are put together. A method's gain is its
difference to the config without a method (CONFIG+METHOD against CONFIG), paired by
seed: the mean, Student's 95 % interval over the seeds, and a dot for each seed. Places
that are far apart are best shown with --log.

Example:
  plot_gain.py 100=work_dirs/photos/100 300=work_dirs/photos/300 \
      --xlabel 'training images' --log --out gain_by_images.png
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.ticker import NullFormatter

from mmmix.apis.arguments import argument
from mmmix.apis.configs.config_reading import (
    config_name,
    split_method,
    split_settings,
)
from mmmix.apis.run_command import run_command
from mmmix.layouts.writing import check_writable
from mmmix.studies.seeds.intervals import half_width
from mmmix.studies.seeds.made_by import made_unlike
from mmmix.studies.seeds.records import METRICS, is_done, read_records
from mmmix.studies.seeds.report import Spread, has_value
from mmmix.studies.trained.results.figures import grid, save

Gains = dict[str, list[float]]
"""Of each method, the differences to the baseline, a seed each."""


class Study(NamedTuple):
    """A study and its place on the axis."""

    place: float
    folder: Path


def parse_study(text: str) -> Study:
    """Read ``PLACE=FOLDER``.

    Raises:
        ValueError: If there is no finite number before ``=``, or no folder behind it.
    """
    place, equals, folder = text.partition('=')
    try:
        number = float(place)
    except ValueError:
        equals = ''
    if not equals or not folder or not math.isfinite(number):
        raise ValueError(
            f'a study is given as PLACE=FOLDER, such as 300=work_dirs/300; got {text!r}'
        )
    return Study(number, Path(folder))


def parse_picture(text: str) -> Path:
    """The file of a picture.

    Raises:
        ValueError: If its ending is none of a picture.
    """
    path, known = Path(text), sorted(FigureCanvasBase.filetypes)
    if path.suffix.lower().removeprefix('.') not in known:
        raise ValueError(f'expected a file that ends in {", ".join(known)}; got {text}')
    return path


def gains_of(folders: Sequence[Path], metric: str) -> Gains:
    """What the methods of a study gain.

    Args:
        folders: With ``results.json``; several are put together.
        metric: A metric of its tests, such as ``'pascal_voc/mAP'``.

    Returns:
        By method, in the order of the records, the differences over common seeds.
        Runs whose last checkpoint was not tested, or has no number for the metric,
        are left out.

    Raises:
        ValueError: If the records are damaged, two folders have one run with other
            results, a method has two configs, or none has a seed in common with the
            config without one.
        KeyError: If a finished run lacks the metric.
    """
    where = ', '.join(map(str, folders))
    values: dict[str, dict[int, float]] = {}
    configs: dict[str, str] = {}
    for name, record in _finished(folders).items():
        found = record[METRICS['last']]
        if metric not in found:
            known = ', '.join(found)
            raise KeyError(f'{name} of {where} has no {metric!r}; there are {known}')
        if not has_value(found, metric):
            continue
        method = _method(record['config'])
        _check_single(configs, method, record['config'], where)
        values.setdefault(method, {})[record['seed']] = found[metric]
    base = values.pop('', {})
    gains = {
        method: [score - base[seed] for seed, score in seeds.items() if seed in base]
        for method, seeds in values.items()
    }
    gains = {method: found for method, found in gains.items() if found}
    if not gains:
        raise ValueError(
            f'{where} has no finished CONFIG+METHOD with a seed of CONFIG; run '
            'study.py with both'
        )
    return gains


def _finished(folders: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
    """The runs of studies whose last checkpoint was tested."""
    runs: dict[str, Mapping[str, Any]] = {}
    key = METRICS['last']
    for folder in folders:
        records, damage = read_records(folder)
        if damage:
            raise ValueError(damage)
        for name, record in records.items():
            if not is_done(record, key):
                continue
            if runs.setdefault(name, record)[key] != record[key]:
                raise ValueError(
                    f'{folder} and another folder of its place have {name} with other '
                    'results; leave one of them out'
                )
    return runs


def _method(config: str) -> str:
    """The method of a config of a study, with its settings; empty for none."""
    base, settings = split_settings(config)
    _, method = split_method(base)
    return '' if method is None else method + settings


def _check_single(
    configs: dict[str, str], method: str, config: str, where: str
) -> None:
    """Refuse a second config of a method: whose gain it is would not be told.

    Args:
        configs: The configs so far, by method; this one is added.
        method: Empty for the config without one.
        config: As the study has it.
        where: The folders of the study.

    Raises:
        ValueError: With both configs.
    """
    one = configs.setdefault(method, config)
    if config_name(one) != config_name(config):
        how = f'with {method}' if method else 'without a method'
        raise ValueError(
            f'{where} has two configs {how}: {one} and {config}. Make each base '
            'config, and each value of --grid, a study in a folder of its own'
        )


def draw(
    panel: Axes, studies: Mapping[float, Gains], width: float, log: bool = False
) -> None:
    """A line per method over the places.

    Args:
        panel: Where to.
        studies: The gains by place.
        width: The methods of a place stand side by side over this share of it.
        log: Whether the axis of the places is logarithmic.
    """
    methods = list(dict.fromkeys(name for gains in studies.values() for name in gains))
    for number, method in enumerate(methods):
        shift = 1 + width * (number - (len(methods) - 1) / 2) / max(len(methods), 1)
        found = {p: gains[method] for p, gains in studies.items() if method in gains}
        places = [place * shift for place in found]
        spreads = [Spread.of(values) for values in found.values()]
        halves = [half_width(s.std, s.n) if s.std is not None else 0.0 for s in spreads]
        means = [spread.mean for spread in spreads]
        style = dict(marker='o', markersize=4, capsize=3, linewidth=1.2)
        panel.errorbar(places, means, halves, label=method, color=f'C{number}', **style)
        for place, values in zip(places, found.values()):
            panel.plot([place] * len(values), values, '.', color=f'C{number}', ms=3)
    panel.axhline(0, color='black', linewidth=0.8)
    if log:  # behind errorbar, which would widen the axis to 1
        panel.set_xscale('log')
        panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_xticks(list(studies), [f'{place:g}' for place in studies])
    panel.grid(axis='y', alpha=0.3)
    # beside the panel, where it hides no dot
    panel.legend(fontsize='small', loc='center left', bbox_to_anchor=(1, 0.5))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('studies', nargs='+', type=argument(parse_study), metavar='PLACE=FOLDER')
    add(
        '--out',
        type=argument(parse_picture),
        required=True,
        help='picture to write, .png or .svg',
    )
    add('--metric', default='pascal_voc/mAP', help='default: %(default)s')
    add('--xlabel', default='', help='what the places are')
    add('--log', action='store_true', help='logarithmic axis of the places')
    args = parser.parse_args(argv)
    if args.log and min(study.place for study in args.studies) <= 0:
        parser.error('--log needs places above 0')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    check_writable([args.out])
    folders: dict[float, list[Path]] = {}
    for place, folder in sorted(args.studies, key=lambda study: study.place):
        folders.setdefault(place, []).append(folder)
    found = {place: gains_of(some, args.metric) for place, some in folders.items()}
    figure, ((panel,),) = grid(1, 1, 6.6, 3.2)
    draw(panel, found, width=0.2, log=args.log)
    panel.set(xlabel=args.xlabel, ylabel=f'Δ {args.metric}')
    save(figure, args.out)
    print(f'Gains of {len(args.studies)} studies: {args.out}')
    for some in folders.values():
        unlike = made_unlike(_finished(some))
        if unlike:
            print(f'{", ".join(map(str, some))}: {unlike}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
