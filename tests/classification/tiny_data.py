"""A few images in the true layout of each data set of the leaves."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import cv2
import numpy as np

CIFAR = {'CIFAR10': 10, 'CIFAR100': 2}
"""Training images that ``write_cifar`` writes: two in each of five files, or of one."""


def write_image(path: Path, index: int, size: tuple[int, int] = (60, 80)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(index)
    cv2.imwrite(str(path), rng.integers(0, 256, (*size, 3), dtype=np.uint8))


def write_cifar(root: Path, name: str) -> None:
    """Pixel (y, x) of image k is red y, green x, blue k."""
    rows, columns = np.mgrid[:32, :32]
    data = np.stack(
        [np.stack([rows, columns, np.full((32, 32), k)]).reshape(-1) for k in range(2)]
    ).astype(np.uint8)
    key, folder, files, meta = {
        'CIFAR10': (
            'labels',
            'cifar-10-batches-py',
            [*(f'data_batch_{k}' for k in range(1, 6)), 'test_batch'],
            ('batches.meta', 'label_names', 10),
        ),
        'CIFAR100': (
            'fine_labels',
            'cifar-100-python',
            ['train', 'test'],
            ('meta', 'fine_label_names', 100),
        ),
    }[name]
    target = root / folder
    target.mkdir(parents=True)
    for file in files:
        (target / file).write_bytes(pickle.dumps({'data': data, key: [0, 1]}))
    names = {meta[1]: [f'class {k}' for k in range(meta[2])]}
    (target / meta[0]).write_bytes(pickle.dumps(names))


def write_cub(root: Path) -> None:
    """Images 1 to 4; 1 and 3 for training; image k has the box 10, k, 30, 20."""
    names = [f'00{k % 2 + 1}.Bird_{k % 2}/bird_{k}.jpg' for k in range(1, 5)]
    for index, name in enumerate(names):
        write_image(root / 'images' / name, index)
    lines = {
        'images': [f'{k} {name}' for k, name in enumerate(names, 1)],
        'image_class_labels': [f'{k} {k % 2 + 1}' for k in range(1, 5)],
        'train_test_split': [f'{k} {k % 2}' for k in range(1, 5)],
        'bounding_boxes': [f'{k} 10.0 {k}.0 30.0 20.0' for k in range(1, 5)],
    }
    for name, text in lines.items():
        (root / f'{name}.txt').write_text('\n'.join(text) + '\n')


def write_imagenet(root: Path) -> None:
    """A folder a class in train and val, two of them with images, and boxes of val."""
    for split in ('train', 'val'):
        for k in range(998):
            (root / split / f'n1{k:07}').mkdir(parents=True)
        for folder in ('n01440764', 'n01443537'):
            for k in range(2):
                write_image(root / split / folder / f'{folder}_{k}.JPEG', k)
    names = [f'n0144{end}/n0144{end}_0.JPEG' for end in ('0764', '3537')]
    write_boxes(root / 'annotations/val_boxes.json', names, ('tench', 'goldfish'))


def write_animals(root: Path) -> None:
    classes = ('cat', 'cow', 'dog', 'horse', 'person', 'sheep')
    for split in ('train', 'val', 'test'):
        names = [f'{k}.jpg' for k in range(4)]
        for k, name in enumerate(names):
            write_image(root / 'images' / split / name, k)
        write_boxes(root / f'annotations/{split}.json', names, classes)


def write_boxes(path: Path, names: list[str], classes: tuple[str, ...]) -> None:
    """Image k shows class k in the box 20, 10, 30, 40."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = dict(
        categories=[dict(id=k, name=name) for k, name in enumerate(classes)],
        images=[dict(id=k, file_name=name) for k, name in enumerate(names)],
        annotations=[
            dict(id=k, image_id=k, category_id=k % len(classes), bbox=[20, 10, 30, 40])
            for k in range(len(names))
        ],
    )
    path.write_text(json.dumps(content))


def write_glyphs(root: Path) -> None:
    for split in ('train', 'val', 'test'):
        for label in range(10):
            write_image(root / split / str(label) / f'{label}.png', label, (32, 32))


def write_all(root: Path) -> None:
    """All data sets of the leaves, in the folders of ``data/``."""
    write_cifar(root / 'cifar10', 'CIFAR10')
    write_cifar(root / 'cifar100', 'CIFAR100')
    write_cub(root / 'CUB_200_2011')
    write_imagenet(root / 'imagenet')
    write_animals(root / 'animal_crops')
    write_glyphs(root / 'glyphs')
