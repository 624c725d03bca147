"""Write a config for a folder of labelled images.

The folder may be in VOC layout (XML files), in COCO format (JSON files) or in YOLO's
(data.yaml or text files); labels stay where they are. Without lists of training and
validation images, some are drawn for validation, and images that look alike are kept on
one side.
"""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmmix.apis.own_data.config_text import Choice, config_text
from mmmix.apis.own_data.detectors import (
    DETECTOR,
    DETECTORS,
    Recipe,
    checked_size,
)
from mmmix.apis.own_data.find import LAYOUTS, find_layout
from mmmix.apis.own_data.layout import Layout
from mmmix.apis.own_data.methods import TO_COMPARE, TO_COMPARE_ANY, chosen_method
from mmmix.apis.own_data.plan import Plan, make_plan
from mmmix.apis.own_data.splitting import SEED, VAL_SHARE, complete_splits
from mmmix.apis.own_data.teachers import (
    DOMAIN,
    SEMI,
    Unlabelled,
    find_unlabelled,
    note_labelled,
)
from mmmix.apis.own_data.warnings import warnings_on
from mmmix.apis.own_data.weights import load_from_lines
from mmmix.commands.console import register_all
from mmmix.layouts.first_few import first_lines
from mmmix.layouts.writing import write_all


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('folder', type=Path, help='with images and labels')
    add('--out', type=Path, metavar='FILE.py', help='default: <name of the folder>.py')
    add('--format', choices=LAYOUTS, help='of the labels (default: found out)')
    add(
        '--detector',
        metavar='NAME',
        default=DETECTOR,
        help=f'{", ".join(DETECTORS)}, or mmdet::FOLDER/NAME.py (default: %(default)s)',
    )
    add(
        '--mix',
        metavar='METHOD',
        help='how to mix, see `mmmix configs --methods` (default: none, the plain '
        'detector, to compare methods with)',
    )
    more = parser.add_mutually_exclusive_group()
    more.add_argument(
        '--unlabelled',
        type=Path,
        metavar='FOLDER',
        help='of images without labels, for a teacher (semi-supervised training)',
    )
    more.add_argument(
        '--target',
        type=Path,
        metavar='FOLDER',
        help='of images without labels that look otherwise (domain adaptation)',
    )
    add('--size', type=int, help="of the images in pixels (default: the detector's)")
    add('--batch-size', type=int, help="default: the detector's, for one GPU")
    add('--epochs', type=int, help='default: from the number of images')
    add(
        '--weights',
        metavar='FILE|URL|none',
        help="to start from (default: mmdet's, trained on COCO)",
    )
    add(
        '--val-share',
        type=float,
        default=VAL_SHARE,
        help='of the images, for validation, where there are no lists '
        '(default: %(default)s)',
    )
    add('--seed', type=int, default=SEED, help='of the split (default: %(default)s)')
    add('--force', action='store_true', help='replace an existing config')
    args = parser.parse_args(argv)
    for name in ('size', 'batch_size', 'epochs'):
        value = getattr(args, name)
        if value is not None and value < 1:
            parser.error(f'--{name.replace("_", "-")} must be at least 1, got {value}')
    if not 0 < args.val_share < 1:
        parser.error(f'--val-share must lie between 0 and 1, got {args.val_share}')
    if args.mix == 'none':
        args.mix = None
    if args.out is None:
        args.out = Path(f'{config_stem(args.folder)}.py')
    if args.out.suffix != '.py':
        parser.error(f'--out expects a file that ends in .py: {args.out}')
    return args


def config_stem(folder: Path) -> str:
    """A folder's name as a config may be called."""
    return re.sub(r'[^\w-]+', '-', folder.resolve().name).strip('-') or 'own-data'


def main(argv: Sequence[str] | None = None) -> None:
    """Write the config, and lists where there are none.

    Raises:
        FileExistsError: If the config is there already.
        FileNotFoundError, ValueError: If the folder is none of the three kinds, or
            broken; with the file and the fix. Then nothing is written.
        KeyError: If there is no such method.
    """
    args = parse_args(argv)
    if args.out.exists() and not args.force:
        raise FileExistsError(
            f'{args.out} exists already; give another --out, or --force to replace it'
        )
    stock = stock_detector(args)
    unlabelled = unlabelled_images(args)
    if stock:
        detector, method, size = stock.recipe, args.mix, None
    else:
        detector = DETECTORS[args.detector]
        method = chosen_method(args.mix, unlabelled and unlabelled.teacher)
        size = checked_size(detector, args.size)
    load_from, start = load_from_lines(detector, args.weights)
    layout = find_layout(args.folder, args.format)
    files = complete_splits(layout, args.val_share, args.seed)
    if unlabelled:
        note_labelled(unlabelled, layout)
    choice = Choice(
        name=args.out.stem,
        layout=layout,
        classes=checked_classes(layout),
        detector=detector,
        size=size,
        plan=planned(args, layout, detector, method),
        method=method,
        load_from=load_from,
        unlabelled=unlabelled,
    )
    text = stock.text(choice) if stock else config_text(choice)
    write_all({**files, args.out: text})
    say(args, choice, [*files])
    print(f'{detector.title}{f" with {method}" if method else ""}, {start}')
    config = shlex.quote(str(args.out))
    print(f'\nnext:\n  mmmix check {config}\n  mmmix train {config}')
    say_comparison(args, method)


def say_comparison(args: argparse.Namespace, method: str | None) -> None:
    """How to see whether mixing helps on these images."""
    name = args.out
    other = TO_COMPARE if args.detector in DETECTORS else TO_COMPARE_ANY
    first, configs = '', [str(name), f'{name}+{other}']
    if method:
        first = ', write the same config without --mix as PLAIN.py, and then'
        configs = ['PLAIN.py', str(name)]
    elif args.target:  # its base has a mixer of one term, which stays
        other = TO_COMPARE_ANY
        first = f', write the same config with --mix {other} as MIXED.py, and then'
        configs = [str(name), 'MIXED.py']
    print(
        '\ndoes mixing help on these images? It gave little or nothing in what was '
        f'measured (docs/evidence.md); to see{first}:\n'
        f'  mmmix study {shlex.join(configs)} --seeds 0 1 2 3 4 --work-dir '
        + shlex.quote(f'work_dirs/{name.stem}_{method or other}')
    )


def stock_detector(args: argparse.Namespace) -> Any:
    """The config of mmdet that --detector names, if it names one.

    Raises:
        FileNotFoundError, ValueError: If it cannot be used.
    """
    if not args.detector.startswith('mmdet::'):
        if args.detector in DETECTORS:
            return None
        near = difflib.get_close_matches(args.detector, DETECTORS, n=1)
        hint = f'; did you mean {near[0]}?' if near else ''
        raise ValueError(
            f'--detector {args.detector}: expected {", ".join(DETECTORS)}, or '
            f'mmdet::FOLDER/NAME.py{hint}'
        )
    if args.size or args.unlabelled or args.target:
        raise ValueError(
            f'--size, --unlabelled and --target do not go with {args.detector}: sizes '
            'stand in its pipelines, and teachers are made of our own detectors'
        )
    register_all()
    # It needs the stack, which the other detectors do without.
    from mmmix.apis.own_data.stock import StockDetector

    return StockDetector(args.detector, args.mix)


def checked_classes(layout: Layout) -> tuple[str, ...]:
    """The classes.

    Raises:
        ValueError: If no training image has an object.
    """
    train = layout.splits['train']
    if not train.names:
        raise ValueError(
            f'the {len(train.items)} training images of {layout.root} have no object; '
            'label them, or correct the list of training images'
        )
    return layout.classes(train)


def planned(
    args: argparse.Namespace, layout: Layout, detector: Recipe, method: str | None
) -> Plan:
    """The schedule; with unlabelled images for the labelled half of a batch.

    Raises:
        ValueError: If there would be nothing to mix an image with.
    """
    batch = args.batch_size
    halved = bool(args.unlabelled or args.target)
    if halved:
        batch = max(1, (batch or detector.batch) // 2)
    mixes = method or args.target  # its base has a mixer of one term
    if mixes and batch is not None and batch < 2:
        half = ', and half of a batch is labelled' if halved else ''
        raise ValueError(
            f'--batch-size {args.batch_size}: an image is mixed with another of its '
            f'batch{half}; give {4 if halved else 2} or more'
            + (', or leave --mix out' if method else '')
        )
    images = len(layout.splits['train'].with_objects)
    return make_plan(detector, images, batch, args.epochs)


def unlabelled_images(args: argparse.Namespace) -> Unlabelled | None:
    """What --unlabelled or --target says.

    Raises:
        FileNotFoundError, ValueError: If it cannot be used.
    """
    if args.unlabelled is not None:
        return find_unlabelled(args.unlabelled, SEMI, args.detector)
    if args.target is not None:
        return find_unlabelled(args.target, DOMAIN, args.detector)
    return None


def say(args: argparse.Namespace, choice: Choice, written: Sequence[Path]) -> None:
    """Tell what was found and made of it."""
    layout, classes, plan = choice.layout, choice.classes, choice.plan
    counts = {name: len(split.items) for name, split in layout.splits.items()}
    parts = ', '.join(f'{count} {name}' for name, count in counts.items())
    names = layout.splits['train'].names
    print(f'{args.folder}: {layout.kind.upper()}, {parts}; {len(classes)} classes')
    if choice.unlabelled:
        count, folder = len(choice.unlabelled.images), choice.unlabelled.folder
        print(f'{folder}: {count} images without labels')
    objects = [f'{name:20} {names[name]:7} objects to train on' for name in classes]
    print(first_lines(objects, 20))
    for text in [*layout.notes, *warnings_on(layout, classes)]:
        print(f'note: {text}')
    for path in written:
        print(f'written: {path}')
    print(
        f'written: {args.out}: {plan.epochs} epochs of {plan.iterations} iterations '
        f'with {plan.batch} images, lr {plan.lr:g}'
    )


if __name__ == '__main__':
    main()
