"""What should give one pause in a folder of data."""

from __future__ import annotations

from collections.abc import Sequence

from mmmix.layouts.first_few import first_few
from mmmix.layouts.spelling import alike_remarks

from .layout import Layout, Split

FEW_IMAGES = 100
FEW_OBJECTS = 20


def warnings_on(layout: Layout, classes: Sequence[str]) -> list[str]:
    """Sentences on a layout with its splits.

    Args:
        layout: The folder.
        classes: To be learned.
    """
    train, val = layout.splits['train'], layout.splits['val']
    texts = []
    count = len(train.with_objects)
    if count < len(train.items):
        texts.append(
            f'{len(train.items) - count} of {len(train.items)} training images have no '
            'object and are left out of the training; to keep them as background, '
            'write filter_empty_gt=False into the config'
        )
    if count < FEW_IMAGES:
        texts.append(
            f'{count} images to train on are few: a detector learns little '
            f'from less than {FEW_IMAGES}; label more, or add unlabelled ones'
        )
    texts += _shared_with(train, val, 'validation')
    if 'test' in layout.splits:
        texts += _shared_with(train, layout.splits['test'], 'test')
    names = train.names
    rare = [f'{name} ({names[name]})' for name in classes if names[name] < FEW_OBJECTS]
    if rare:
        texts.append(f'fewer than {FEW_OBJECTS} objects to train on: {first_few(rare)}')
    others = {'validation': val}
    if layout.splits.get('test', val).items != val.items:
        others['test'] = layout.splits['test']
    for name, split in others.items():
        texts += _never_learned(train, split, name, classes)
    known = [name for split in layout.splits.values() for name in split.names]
    texts += alike_remarks([*classes, *known])
    unseen = [name for name in classes if names[name] and name not in val.names]
    if unseen:
        texts.append(
            f'in no validation image: {first_few(unseen)}; nothing will be known '
            'of their AP'
        )
    return texts


def _never_learned(
    train: Split, other: Split, name: str, classes: Sequence[str]
) -> list[str]:
    """A sentence on classes of another split that are not trained on, if any."""
    absent = [name for name in other.names if name not in train.names]
    if not absent:
        return []
    fate = 'their AP stays 0'
    if not set(absent) <= set(classes):
        fate = 'they are no classes of the config, and no figure counts them'
    return [
        f'in the {name} images and never in the training images: '
        f'{first_few(absent)}; {fate}. Draw the split anew (another --seed, '
        'without the lists), or label some for training'
    ]


def _shared_with(train: Split, other: Split, name: str) -> list[str]:
    """A sentence on images that are trained on, too, if there are any."""
    places = {item.image.resolve() for item in train.items}
    shared = [item.image for item in other.items if item.image.resolve() in places]
    if not shared:
        return []
    return [
        f'{len(shared)} of {len(other.items)} {name} images are training images too, '
        f'such as {shared[0]}: the figures of {name} will be too good; take them out '
        'of one list'
    ]
