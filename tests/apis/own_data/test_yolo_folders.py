"""Labels of YOLO's layout in other folders, and names that files state otherwise."""

from __future__ import annotations

import json

import pytest

from mmmix.apis.own_data.find import find_layout
from mmmix.apis.own_data.splitting import complete_splits

from .folders import stem_of, write_image, write_yolo


@pytest.mark.parametrize(
    ('old', 'new'),
    [('labels', 'label'), ('labels', 'annotations'), ('images', 'Images')],
)
def test_labels_where_nothing_looks_are_refused(tmp_path, old, new):
    (write_yolo(tmp_path) / old).rename(tmp_path / new)
    with pytest.raises(ValueError, match='labels lie where nothing looks') as caught:
        find_layout(tmp_path)
    labels, images = ('labels', new) if old == 'images' else (new, 'images')
    expected = (
        f'{tmp_path}/{labels}/{stem_of(0)}.txt may be those of '
        f'{tmp_path}/{images}/{stem_of(0)}.png'
    )
    assert expected in str(caught.value)


def test_some_labels_elsewhere_are_named(tmp_path):
    data = write_yolo(tmp_path)
    (data / 'images/deep').mkdir()
    (data / f'images/{stem_of(3)}.png').rename(data / f'images/deep/{stem_of(3)}.png')
    (data / 'backup').mkdir()
    (data / f'backup/{stem_of(4)}.txt').write_text('0 .5 .5 .1 .1')  # has labels
    write_image(data / 'images/bare.png', 50)
    (data / 'old').mkdir()
    (data / 'old/bare.txt').write_text('0 .5 .5 .1 .1')
    notes = [note for note in find_layout(data).notes if 'lie where' in note]
    assert len(notes) == 1
    assert notes[0].startswith('1 label files lie where those of their images are not')
    assert f'{data}/old/bare.txt;' in notes[0]


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('classes.txt', 'big dog\ncat\n'),
        ('labels/Classes.txt', 'big dog\ncat\n'),
        ('more/data.yaml', 'names: [big dog, cat]'),
    ],
)
def test_names_that_are_stated_otherwise_are_refused(tmp_path, name, text):
    path = write_yolo(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(ValueError, match="class 0 is 'big dog' in") as caught:
        find_layout(tmp_path)
    assert f"{path}, and 'cat' in another file" in str(caught.value)


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('classes.txt', 'cat\n'),
        ('classes.txt', 'cat\nbig dog\nbird\n'),
        ('predefined_classes.txt', 'dog\nperson\n'),
        ('more/hyp.yaml', 'names: [dog]'),
    ],
)
def test_other_names_that_do_not_contradict(tmp_path, name, text):
    path = write_yolo(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    layout = find_layout(tmp_path)
    assert layout.classes(layout.splits['all']) == ('cat', 'big dog')


@pytest.mark.parametrize('start', ['data/', 'C:\\export\\', '/home/me/export/'])
def test_lists_with_the_paths_of_an_exporter(tmp_path, start):
    """CVAT begins paths with a ``data/`` that it does not make."""
    data = write_yolo(tmp_path / 'mine')
    folder = 'images\\' if '\\' in start else 'images/'
    names = [f'{folder}{stem_of(number)}.png' for number in range(12)]
    for split, some in (('train', names[:8]), ('val', [*names[8:], f'{folder}no.png'])):
        (data / f'{split}.txt').write_text('\n'.join(start + name for name in some))
    layout = find_layout(data)
    assert [len(layout.splits[name].items) for name in ('train', 'val')] == [8, 4]
    shown = start.rstrip('\\/').replace('\\', '/')
    assert f'{data}/train.txt: {shown!r} is left out of its paths' in layout.notes
    assert any('1 images of' in note and 'no.png' in note for note in layout.notes)
    texts = complete_splits(layout, 0.2, 0)  # stock paths, for the data set to read
    inside = [name.replace('\\', '/') for name in names]
    assert texts[data / 'mmmix_train.txt'].splitlines() == inside[:8]
    assert layout.splits['val'].settings == dict(ann_file='mmmix_val.txt')


def test_a_list_of_images_elsewhere_takes_none_of_the_same_name(tmp_path):
    data = write_yolo(tmp_path)
    (data / 'images').rename(data / 'elsewhere')
    (data / 'labels').rename(data / 'elsewhere/labels')
    names = [f'x/{folder}/{stem_of(folder)}.png' for folder in range(4)]
    (data / 'train.txt').write_text('\n'.join(names))
    for number in range(4):
        write_image(data / f'{stem_of(number)}.png', number)
    with pytest.raises(FileNotFoundError, match='names 4 images, and none is there'):
        find_layout(data)


def test_categories_alone_are_no_labels_of_coco(tmp_path):
    """Label Studio writes them beside labels of YOLO's layout."""
    data = write_yolo(tmp_path)
    notes = dict(categories=[dict(id=0, name='cat')], info=dict(year=2026))
    (data / 'notes.json').write_text(json.dumps(notes))
    assert find_layout(data).kind == 'yolo'
