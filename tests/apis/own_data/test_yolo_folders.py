"""Labels of YOLO's layout in other folders, and names that files state otherwise."""

from __future__ import annotations

import pytest

from mmmix.apis.own_data.find import find_layout

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
