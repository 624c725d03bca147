#!/usr/bin/env python3
"""Writes ``configs/metafile.yml``, the index of all leaf configs that ``mim`` reads.

What it says comes from the leaves and from the tables of the READMEs beside them: run
it after a change of either. A test compares the file with what this gives.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs'

PAPERS = {
    'BoxMix': (
        'Mixup Regularization for Region Proposal based Object Detectors',
        'https://arxiv.org/abs/2003.02065',
    ),
    'LossMix': (
        'LossMix: Simplify and Generalize Mixup for Object Detection and Beyond',
        'https://arxiv.org/abs/2303.10343',
    ),
    'CutMix': (
        'CutMix: Regularization Strategy to Train Strong Classifiers with Localizable '
        'Features',
        'https://arxiv.org/abs/1905.04899',
    ),
    'AlignMixup': (
        'AlignMixup: Improving Representations By Interpolating Aligned Features',
        'https://arxiv.org/abs/2103.15375',
    ),
    'mixup': (
        'mixup: Beyond Empirical Risk Minimization',
        'https://arxiv.org/abs/1710.09412',
    ),
    'Bag of Freebies': (
        'Bag of Freebies for Training Object Detection Neural Networks',
        'https://arxiv.org/abs/1902.04103',
    ),
    'Soft Teacher': (
        'End-to-End Semi-Supervised Object Detection with Soft Teacher',
        'https://arxiv.org/abs/2106.09018',
    ),
    'Adaptive Teacher': (
        'Cross-Domain Adaptive Teacher for Object Detection',
        'https://arxiv.org/abs/2111.13216',
    ),
}

# collection -> beginning of a method's name, paper; the first that fits is taken
COLLECTIONS = {
    'Mean teacher with LossMix': ('mean-teacher-lossmix', 'LossMix'),
    'Mean teacher with BoxMix': ('mean-teacher-boxmix', 'BoxMix'),
    'Mean teacher': ('mean-teacher', 'Soft Teacher'),
    'Adaptive Teacher': ('adaptive-teacher', 'Adaptive Teacher'),
    'Union': ('union', 'LossMix'),
    'Noise': ('noise', 'LossMix'),
    'LossMix': ('lossmix', 'LossMix'),
    'BoxMix on one level': ('level', 'BoxMix'),
    'BoxMix': ('boxmix', 'BoxMix'),
    'BoxStack': ('boxstack', 'BoxMix'),
    'Weighted union': ('weighted-union', 'Bag of Freebies'),
    'Mixup': ('mixup', 'mixup'),
    'CutMix': ('cutmix', 'CutMix'),
    'AlignMix': ('alignmix', 'AlignMixup'),
    'Baseline': ('', None),
}

DATA = {
    'voc': ['VOC07 trainval', 'VOC12 trainval'],
    'voc07': ['VOC07 trainval'],
    'coco': ['COCO train2017'],
    'digits': ['Digits'],
    'animals': ['VOC12 train, six animals'],
    'voc07-voc12u': ['VOC07 trainval', 'VOC12 trainval, unlabelled'],
    'coco-semi': ['COCO train2017, partly labelled'],
    'digits-semi': ['Digits, partly labelled'],
    'voc-clipart': ['VOC07 trainval', 'VOC12 trainval', 'Clipart1k train, unlabelled'],
    'voc-watercolor': [
        *('VOC07 trainval', 'VOC12 trainval'),
        'Watercolor2k train, unlabelled',
    ],
    'voc12-clipart': ['VOC12 trainval', 'Clipart1k train, unlabelled'],
    'voc12-watercolor': ['VOC12 trainval', 'Watercolor2k train, unlabelled'],
    'digits-domain': ['Digits', 'Digits of a second domain, unlabelled'],
    'cifar10': ['CIFAR-10'],
    'cifar100': ['CIFAR-100'],
    'imagenet': ['ImageNet-1k'],
    'cub': ['CUB-200-2011'],
    'animal-crops': ['Crops of animals'],
    'glyphs': ['Handwriting'],
}

FIGURES = ('figure', 'error', 'AP', 'AP50', 'AP75', 'mAP')


def leaves() -> list[Path]:
    """All leaf configs."""
    found = CONFIGS.rglob('*.py')
    return sorted(path for path in found if '_base_' not in path.parts)


def rows(readme: Path) -> dict[str, dict[str, str]]:
    """Lines of a README's tables by config: cells by column, and the section."""
    found, header, section = {}, [], ''
    for line in readme.read_text(encoding='utf-8').splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if line.startswith('#'):
            section = line.lstrip('# ')
        elif line.startswith('| config |'):
            header = cells
        elif match := re.match(r'\| \[([^\]/]+)\]\(\1\.py\)', line):
            cells_by_name = dict(zip(header, cells, strict=True))
            found[match[1]] = {'section': section, **cells_by_name}
    return found


def collection(method: str) -> str:
    """The collection of a method."""
    begins = ((name, begin) for name, (begin, _) in COLLECTIONS.items())
    return next(name for name, begin in begins if method.startswith(begin))


def figure(row: dict[str, str]) -> str | None:
    """What a paper gives for a config."""
    cells = {name: row[name] for name in FIGURES if row.get(name, '−') != '−'}
    if 'figure' in cells:
        return cells['figure']
    return ', '.join(f'{name} {cell}' for name, cell in cells.items()) or None


def parts(name: str) -> tuple[str, str, str]:
    """Detector, data and method of a leaf's name."""
    fields = name.split('_')
    words = 2 if re.fullmatch(r'[rd]\d+(-c4)?', fields[1]) else 1
    detector, data, *method = ['_'.join(fields[:words]), *fields[words:]]
    data = re.sub(r'semi\d+$', 'semi', data)
    data = re.sub(r'^animals\d+.*', 'animals', data)
    return detector, data, ''.join(method)


def trained_on(path: Path) -> list[str]:
    """The training images of a leaf."""
    _, data, method = parts(path.stem)
    named = DATA[data]
    if '/datasets/voc12-' in path.read_text(encoding='utf-8'):
        named = named[1:]
    if method == 'source-only':
        return named[:-1]
    return [named[-1].removesuffix(', unlabelled')] if method == 'oracle' else named


def source(row: dict[str, str]) -> str | None:
    """The place in a paper that a config reproduces."""
    if 'what it reproduces' in row:
        return row['what it reproduces']
    study = row.get('row') or row.get('mixed anchors')
    return f'{row["section"]}, {study}' if study else None


def model(path: Path, row: dict[str, str]) -> dict[str, Any]:
    """The entry of a leaf."""
    detector, _, method = parts(path.stem)
    gpus, images = row['batch'].split(' × ')
    entry = {
        'Detector': detector,
        'Training Data': '; '.join(trained_on(path)),
        'Training Resources': f'{gpus} GPU' if gpus == '1' else f'{gpus} GPUs',
        'Images per GPU': images.strip('()'),
        'Reproduces': source(row),
        'Figure of the paper, not reproduced': figure(row),
    }
    return {
        'Name': path.stem,
        'In Collection': collection(method),
        'Config': path.relative_to(ROOT).as_posix(),
        'Metadata': {key: value for key, value in entry.items() if value is not None},
    }


def metafile() -> dict[str, Any]:
    """The content of the file."""
    tables: dict[str, dict[str, str]] = {}
    for readme in CONFIGS.rglob('README.md'):
        tables |= rows(readme)
    models = [model(path, tables[path.stem]) for path in leaves()]
    used = {entry['In Collection'] for entry in models}
    collections = []
    for name, (_, paper) in COLLECTIONS.items():
        if name in used:
            entry: dict[str, Any] = {'Name': name, 'README': 'configs/README.md'}
            if paper is not None:
                title, url = PAPERS[paper]
                entry['Paper'] = {'Title': title, 'URL': url}
            collections.append(entry)
    return {'Collections': collections, 'Models': models}


def text() -> str:
    """The file as it is written."""
    head = '# Written by .dev/write_metafile.py from the leaves and the READMEs.\n'
    return head + yaml.safe_dump(
        metafile(), sort_keys=False, allow_unicode=True, width=88
    )


if __name__ == '__main__':
    (CONFIGS / 'metafile.yml').write_text(text(), encoding='utf-8')
