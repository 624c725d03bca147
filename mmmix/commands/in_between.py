r"""What does a model see in an image between two images?

Pairs of images are blended (λ a + (1 - λ) b) or cut (the middle of b on a, which
keeps the share λ of its area) for λ from 0 to 1 (CutMix suppl. E.1, carried to
detectors). For each λ: the mean of the highest detection scores; the share of images
whose highest detection hits an object of either image (class, and IoU of 0.5); and
the share of the objects of a, and of b, that a detection of --score-thr finds. A
classifier's detection is its class on the whole image, as its pipeline prepares it.
Writes in_between.md, .csv and .png to --out; the same command goes on where it was
interrupted. See docs/studies/uncertainty.md.

Example:
  in_between.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      union=configs/demo/ssd_digits_union.py@union.pth --out work_dirs/in_between
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmmix.apis.arguments import SCORE, SEED, each_once
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.studies.trained.images.decoded import MEMORY
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.in_between import (
    WAYS,
    Pairs,
    is_hit,
    share_found,
)
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.results.figures import grid, save
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.summary import summarise, write_summary
from mmmix.studies.trained.sweep import EachImage, sweep

CONDITIONS = ['way', 'λ']
METRICS = ['score', 'hit', 'found of a', 'found of b']


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add('--ways', nargs='+', choices=WAYS, default=list(WAYS), help='(default: both)')
    add(
        '--lams',
        nargs='+',
        type=float,
        default=[k / 10 for k in range(11)],
        metavar='λ',
        help='default: 0 to 1 in steps of 0.1',
    )
    add('--score-thr', type=SCORE, default=0.3, help='of objects found (default: 0.3)')
    add('--seed', type=SEED, default=0, help='of the pairs (default: 0)')
    args = parser.parse_args(argv)
    if not all(0 <= lam <= 1 for lam in args.lams):
        parser.error(f'--lams must lie in [0, 1], got {args.lams}')
    args.ways = each_once(args.ways, '--ways')
    args.lams = each_once(args.lams, '--lams')
    return args


def measure(
    reader: LoadedDetector, pairs: Pairs, score_thr: float, sample: Any, index: int
) -> list[float]:
    """Score, hit or not, and for either side objects found and their number."""
    found, pair = reader.detections(sample), pairs(index)
    score, hit = 0.0, False
    if len(found):
        top = int(found.scores.argmax())
        score = float(found.scores[top])
        hit = is_hit(found.bboxes[top], int(found.labels[top]), pair)
    sure = found[found.scores >= score_thr]
    counts = [share_found(sure.bboxes, sure.labels, side) for side in pair]
    return [score, float(hit), *counts[0], *counts[1]]


def averages(kept: Sequence[Sequence[float]]) -> dict[str, float | None]:
    """The metrics over all pairs."""
    score, hit, found_a, of_a, found_b, of_b = map(sum, zip(*kept))
    return {
        'score': score / len(kept),
        'hit': hit / len(kept),
        'found of a': found_a / of_a if of_a else None,
        'found of b': found_b / of_b if of_b else None,
    }


def plot(rows: Sequence[dict], path: Path) -> None:
    """A row of panels per way, a panel per metric, a line per method."""
    ways = list(dict.fromkeys(row['way'] for row in rows))
    models = list(dict.fromkeys(row['model'] for row in rows))
    figure, axes = grid(len(ways), len(METRICS), 3.4, 2.8)
    for way, panels in zip(ways, axes):
        for metric, panel in zip(METRICS, panels):
            for model in models:
                line = [r for r in rows if (r['way'], r['model']) == (way, model)]
                line = [r for r in line if r[metric].mean is not None]
                heights = [r[metric].mean for r in line]
                spread = [r[metric].std or 0 for r in line]
                lams = [r['λ'] for r in line]
                panel.errorbar(lams, heights, spread, label=model, capsize=2)
            panel.set(title=f'{way}: {metric}', xlabel='λ (weight of a)', ylim=(0, 1))
    axes[0][0].legend()
    save(figure, path)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    detectors = load_detectors(args)
    dataset = build_split(detectors[0], args.split, args.limit)
    settings = dict(
        **split_settings(args, dataset),
        seed=args.seed,
        score_thr=args.score_thr,
    )
    store = ResultStore(args.out / 'results.json', settings)
    reader = detectors[0]
    pairs = Pairs(reader.images_of_pairs(dataset, MEMORY), args.seed)
    points = [(way, lam) for way in args.ways for lam in args.lams]
    keep = partial(measure, reader, pairs, args.score_thr)
    sets = {
        f'{way} at {lam:g}': EachImage(len(pairs), partial(pairs.mixed, lam, way), keep)
        for way, lam in points
    }
    kept = sweep(detectors, sets, store, args.batch_size)
    records = [
        {'model': detector.name, 'way': way, 'λ': lam} | averages(of[name])
        for detector, of in zip(detectors, kept)
        for name, (way, lam) in zip(sets, points)
    ]
    rows = summarise(records, CONDITIONS, METRICS)
    title = f'{len(pairs)} images between two {args.split} images'
    print(write_summary(args.out, 'in_between', title, rows, CONDITIONS, METRICS))
    plot(rows, args.out / 'in_between.png')
    print(f'Tables and in_between.png: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
