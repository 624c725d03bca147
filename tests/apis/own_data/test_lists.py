"""Which lists of a folder count, and that those drawn by ``init`` stay a pair."""

from __future__ import annotations

import json

import pytest

from mmmix.apis.own_data.find import find_layout
from mmmix.apis.own_data.splitting import complete_splits

from .folders import stem_of, write_coco, write_image, write_voc, write_yolo


def images(split):
    return {item.image.stem for item in split.items}


def stems(*numbers):
    return {stem_of(number) for number in numbers}


def write_list(path, *numbers, form='{}'):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(form.format(stem_of(n)) + '\n' for n in numbers))


def initialised(root):
    """The splits that a call of ``init`` takes, with its lists written."""
    layout = find_layout(root)
    files = complete_splits(layout, 0.2, 0)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
    return {name: images(split) for name, split in layout.splits.items()}, layout


def test_lists_of_other_tasks_do_not_count(tmp_path):
    root = write_voc(tmp_path / 'mine', lists=True)
    for task in ('Action', 'Layout', 'Segmentation'):
        write_list(root / 'ImageSets' / task / 'train.txt', 0, 1)
        write_list(root / 'ImageSets' / task / 'val.txt', 2)
        write_list(root / 'ImageSets' / task / 'test.txt', 3)
    for name in ('cat_train', 'train_train', 'train_val'):
        write_list(root / 'ImageSets' / 'Main' / f'{name}.txt', 4, form='{}  1')
    layout = find_layout(root)
    assert {name: images(split) for name, split in layout.splits.items()} == dict(
        train=stems(*range(8)), val=stems(*range(8, 12))
    )
    assert layout.splits['train'].settings['ann_file'] == 'ImageSets/Main/train.txt'
    (note,) = (note for note in layout.notes if 'not read' in note)
    assert note.startswith('9 lists are not read')


def test_lists_of_one_name_elsewhere_are_refused(tmp_path):
    root = write_voc(tmp_path / 'mine')
    for folder in ('a', 'b'):
        write_list(root / folder / 'train.txt', 0, 1, 2)
    with pytest.raises(ValueError, match=r'a/train\.txt, .*b/train\.txt; take'):
        find_layout(root)


@pytest.mark.parametrize('other', ['a', 'zz'])
def test_a_yolo_list_at_the_top_comes_first(other, tmp_path):
    root = write_yolo(tmp_path / 'mine')
    for folder, numbers in ((root, (0, 1, 2, 3)), (root / other, (4,))):
        write_list(folder / 'train.txt', *numbers, form='images/{}.png')
    write_list(root / 'val.txt', 9, form='images/{}.png')
    layout = find_layout(root)
    assert images(layout.splits['train']) == stems(0, 1, 2, 3)
    assert any(f'{other}/train.txt' in note for note in layout.notes)


def voc_with(name):
    def write(root):
        write_voc(root)
        write_list(root / 'ImageSets' / 'Main' / f'{name}.txt', *range(10))

    return write


def voc_at_the_top(root):
    write_voc(root)
    write_list(root / 'train.txt', *range(10))


def yolo_list(root):
    write_yolo(root)
    write_list(root / 'train.txt', *range(10), form='images/{}.png')


def yolo_yaml(root):
    yolo_list(root)
    (root / 'data.yaml').write_text('names: [cat, dog]\ntrain: train.txt\n')


def coco_train(root):
    write_coco(root, 10)
    (root / 'labels.json').rename(root / 'train.json')


CASES = [
    voc_with('trainval'),
    voc_with('train'),
    voc_at_the_top,
    yolo_list,
    yolo_yaml,
    coco_train,
    lambda root: write_coco(root, 10),
]


@pytest.mark.parametrize('write', CASES)
def test_a_second_call_trains_on_no_validation_image(write, tmp_path):
    root = tmp_path / 'mine'
    write(root)
    first, _ = initialised(root)
    assert first['train'] | first['val'] == stems(*range(10))
    assert not first['train'] & first['val']
    assert len(first['val']) == 2
    second, layout = initialised(root)
    assert second == first
    assert all('mmmix' in s.settings['ann_file'] for s in layout.splits.values())


@pytest.mark.parametrize('options', [(0.4, 0), (0.2, 1)])
def test_a_share_and_a_seed_without_effect_are_said(options, tmp_path):
    root = write_yolo(tmp_path / 'mine')
    initialised(root)
    for values, told in ((options, 1), ((0.2, 0), 0)):
        layout = find_layout(root)
        complete_splits(layout, *values)
        notes = [note for note in layout.notes if '--val-share and --seed' in note]
        assert len(notes) == told


def test_lists_of_ones_own_for_both_come_first(tmp_path):
    root = tmp_path / 'mine'
    voc_with('train')(root)
    initialised(root)
    write_list(root / 'ImageSets' / 'Main' / 'val.txt', 10, 11)
    again, _ = initialised(root)
    assert again == dict(train=stems(*range(10)), val=stems(10, 11))


def test_a_list_of_images_that_are_now_for_the_test_is_drawn_anew(tmp_path):
    root = write_voc(tmp_path / 'mine')
    first, _ = initialised(root)
    held_out = sorted(first['train'])[:3]
    others = sorted((first['train'] | first['val']) - set(held_out))
    folder = root / 'ImageSets' / 'Main'
    (folder / 'train.txt').write_text('\n'.join(others))
    (folder / 'test.txt').write_text('\n'.join(held_out))
    again, _ = initialised(root)
    assert again['train'] == set(others)
    assert again['val'] == again['test'] == set(held_out)


def test_data_yaml_may_name_a_folder_and_a_list(tmp_path):
    root = write_yolo(tmp_path / 'mine', 4)
    write_yolo(root / 'more', 3, names=False)
    write_list(root / 'some.txt', 0, 1, form='images/{}.png')
    write_list(root / 'val.txt', 3, form='images/{}.png')
    (root / 'data.yaml').write_text(
        'names: [cat, dog]\ntrain: [more/images, some.txt]\nval: val.txt\n'
    )
    layout = find_layout(root)
    assert len(layout.splits['train'].items) == 5
    assert images(layout.splits['val']) == stems(3)


def test_images_that_came_after_the_draw_are_said(tmp_path):
    root = write_coco(tmp_path / 'mine', 8)
    first, _ = initialised(root)
    content = json.loads((root / 'labels.json').read_text())
    write_image(root / 'pics' / 'new.png', 40)
    content['images'].append(dict(id=40, file_name='new.png', width=96, height=64))
    (root / 'labels.json').write_text(json.dumps(content))
    second, layout = initialised(root)
    assert second == first
    (note,) = (note for note in layout.notes if 'left out' in note and 'new' in note)
    assert note.startswith('1 images are in neither of ')
    assert 'labels.mmmix_val.json' in note


def test_a_second_call_takes_the_labels_as_they_are_now(tmp_path):
    """A file of a split is a copy, which a correction of the labels does not reach."""
    root = write_coco(tmp_path / 'mine', 8)
    first, _ = initialised(root)
    content = json.loads((root / 'labels.json').read_text())
    left_out = content['images'].pop(int(sorted(first['train'])[0].split()[1]))
    for number, image in enumerate(content['images'], 100):
        for annotation in content['annotations']:
            if annotation['image_id'] == image['id']:
                annotation.update(image_id=number, bbox=[1, 2, 30, 40])
        image['id'] = number  # as a new export may number them
    (root / 'labels.json').write_text(json.dumps(content))
    second, layout = initialised(root)
    assert second['val'] == first['val']
    assert second['train'] == first['train'] - {left_out['file_name'][:-4]}
    for name in ('train', 'val'):
        part = json.loads((root / f'labels.mmmix_{name}.json').read_text())
        assert {tuple(ann['bbox']) for ann in part['annotations']} == {(1, 2, 30, 40)}
        assert {ann['image_id'] for ann in part['annotations']} == {
            image['id'] for image in part['images']
        }
    assert any('2 lists are written again' in note for note in layout.notes)
    assert not any('written again' in note for note in initialised(root)[1].notes)


def test_folders_of_both_splits_come_before_drawn_lists(tmp_path):
    """A split in several folders is written to a list; the other one is not lost."""
    root = tmp_path / 'mine'
    places = ('train/a', 'train/b', 'valid', 'test')
    for number in range(12):
        path = root / places[number % 4] / f'{stem_of(number)}.png'
        write_image(path, number)
        path.with_suffix('.txt').write_text('0 .5 .5 .2 .2')
    first, _ = initialised(root)
    assert (root / 'mmmix_train.txt').is_file()
    assert {name: len(some) for name, some in first.items()} == dict(
        train=6, val=3, test=3
    )
    assert initialised(root)[0] == first


@pytest.mark.parametrize(
    ('place', 'text'),
    [
        ('cfg', 'train: ../train/images\nval: ../valid/images'),
        ('.', 'path: {root}\ntrain: train/images\nval: valid/images'),
        ('cfg', 'path: ..\ntrain: train/images\nval: valid/images'),
    ],
)
def test_data_yaml_may_name_folders_from_elsewhere(place, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, count in dict(train=4, valid=3).items():
        write_yolo(tmp_path / 'mine' / name, count, names=False)
    path = tmp_path / 'mine' / place / 'data.yaml'
    path.parent.mkdir(exist_ok=True)
    path.write_text('names: [cat, dog]\n' + text.format(root=tmp_path / 'mine'))
    layout = find_layout('mine')
    assert {name: len(split.items) for name, split in layout.splits.items()} == dict(
        train=4, val=3
    )
    assert layout.splits['train'].settings == dict(
        data_prefix=dict(img='train/images/')
    )


def yolo_without_test(root):
    write_yolo(root)
    (root / 'data.yaml').write_text(
        'names: [cat, dog]\ntrain: images\nval: images\ntest: ../test/images'
    )


def yolo_with_empty_test(root):
    yolo_without_test(root)
    (root / 'test/images').mkdir(parents=True)


def yolo_with_a_list_of_nothing(root):
    yolo_list(root)
    write_list(root / 'val.txt', 10, 11, form='images/{}.png')
    (root / 'test.txt').write_text('elsewhere/a.png\n')


def voc_with_unlabelled_test(root):
    write_voc(root, lists=True)
    (root / 'ImageSets/Main/test.txt').write_text('000001\n')


def coco_without_test_images(root):
    coco_train(root)
    text = (root / 'train.json').read_text()
    (root / 'val.json').write_text(text)
    content = json.loads(text)
    for image in content['images']:
        image['file_name'] = 'x' + image['file_name']
    (root / 'test.json').write_text(json.dumps(content))


@pytest.mark.parametrize(
    'write',
    [
        yolo_without_test,
        yolo_with_empty_test,
        yolo_with_a_list_of_nothing,
        voc_with_unlabelled_test,
        coco_without_test_images,
    ],
)
def test_a_test_split_may_be_missing(write, tmp_path):
    write(tmp_path / 'mine')
    layout = find_layout(tmp_path / 'mine')
    assert set(layout.splits) == {'train', 'val'}
    assert sum(note.startswith('there is no test split: ') for note in layout.notes)
