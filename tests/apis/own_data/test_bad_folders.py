"""Folders that are not as they should be: what is said, and that nothing is written."""

from __future__ import annotations

import json
import shutil

import pytest

from mmmix.apis.own_data import weights
from mmmix.commands.init import main

from .folders import stem_of, voc_xml, write_coco, write_image, write_voc, write_yolo


@pytest.fixture(autouse=True)
def _here_and_offline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, 'is_reachable', lambda url: False)


def nothing(root):
    root.mkdir()
    (root / 'notes.txt').write_text('hello')


def images_alone(root):
    write_image(root / 'a.png', 0)


def two_layouts(root):
    write_voc(root)
    write_yolo(root)


def broken_xml(root):
    write_voc(root)
    (root / 'Annotations' / f'{stem_of(3)}.xml').write_text('<annotation><obj')


def name_with_line_break(root):
    write_voc(root)
    (root / 'Annotations' / f'{stem_of(3)}.xml').write_text(voc_xml('cat\n'))


def file_with_line_break(root):
    write_yolo(root)
    write_image(root / 'images' / 'a\nb.png', 99)


def labels_alone(root):
    write_voc(root)
    shutil.rmtree(root / 'JPEGImages')
    write_image(root / 'other.png', 0)


def absurd_id_without_names(root):
    write_yolo(root, names=False)
    (root / 'labels' / f'{stem_of(5)}.txt').write_text('1000000000 .5 .5 .1 .1')


def id_beyond_names(root):
    write_yolo(root)
    (root / 'labels' / f'{stem_of(5)}.txt').write_text('2 .5 .5 .1 .1')


def pixels_in_yolo(root):
    write_yolo(root)
    (root / 'labels' / f'{stem_of(5)}.txt').write_text('0 40 30 10 10')


def names_with_gaps(root):
    write_yolo(root)
    (root / 'data.yaml').write_text('names: {0: cat, 2: dog}')


def split_that_is_not_there(root):
    write_yolo(root)
    (root / 'data.yaml').write_text('names: [cat, dog]\ntrain: nowhere\nval: images')


def empty_list(root):
    write_voc(root, lists=True)
    (root / 'ImageSets' / 'Main' / 'val.txt').write_text('\n')


def broken_json(root):
    write_coco(root)
    path = root / 'labels.json'
    path.write_text(path.read_text()[:-30])


def panoptic(root):
    write_coco(root)
    path = root / 'labels.json'
    content = json.loads(path.read_text())
    content['annotations'] = [dict(image_id=0, segments_info=[])]
    path.write_text(json.dumps(content))


def images_elsewhere(root):
    write_coco(root)
    for path in (root / 'pics').iterdir():
        path.rename(path.with_name(f'x{path.name}'))


def _coco_in_two(root, change):
    """Files for both splits; ``change`` makes the second bad."""
    write_coco(root)
    content = json.loads((root / 'labels.json').read_text())
    (root / 'labels.json').rename(root / 'train.json')
    change(content)
    (root / 'val.json').write_text(json.dumps(content))


def val_file_without_labels(root):
    _coco_in_two(root, lambda content: content['annotations'].clear())


def another_order(root):
    _coco_in_two(root, lambda content: content['categories'].reverse())


def one_name_twice(root):
    _coco_in_two(root, lambda content: content['categories'][1].update(name='cat'))


def backslashes(root):
    write_coco(root)
    path = root / 'labels.json'
    content = json.loads(path.read_text())
    for image in content['images']:
        image['file_name'] = f'C:\\pics\\{image["file_name"]}'
    path.write_text(json.dumps(content))


def labels_in_a_table(root):
    write_image(root / 'a.png', 0)
    (root / 'labels.csv').write_text('a.png,1,2,30,40,cat')


def _data_yaml(text):
    def make(root):
        write_yolo(root)
        (root / 'data.yaml').write_text(text)

    return make


def _classes_txt(text):
    def make(root):
        write_yolo(root, names=False)
        (root / 'classes.txt').write_text(text)

    return make


def keypoints(root):
    write_yolo(root)
    (root / 'labels' / f'{stem_of(5)}.txt').write_text('0 .5 .5 .2 .2 .4 .4 2 .6 .6 2')


def flat_box_in_yolo(root):
    write_yolo(root)
    (root / 'labels' / f'{stem_of(5)}.txt').write_text('0 .5 .5 0 .2')


def two_training_files(root):
    write_coco(root)
    for name in ('train_a.json', 'train_b.json'):
        shutil.copy(root / 'labels.json', root / name)
    (root / 'labels.json').unlink()


def voc_list_of_validation_alone(root):
    write_voc(root, lists=True)
    (root / 'ImageSets' / 'Main' / 'train.txt').unlink()


def yolo_list_of_test_alone(root):
    write_yolo(root)
    (root / 'test.txt').write_text(f'images/{stem_of(3)}.png\n')


def yolo_folder_of_test_beside_others(root):
    write_yolo(root)
    write_yolo(root / 'test', count=2, names=False)


def three_images(root):
    write_voc(root, count=3)


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (nothing, 'has no image'),
        (images_alone, 'images and no labels'),
        (two_layouts, '--format voc or yolo'),
        (broken_xml, r'bild 03 ä.xml is not whole XML'),
        (name_with_line_break, r"bild 03 ä.xml: an object is called 'cat\\n'"),
        (file_with_line_break, 'line break or a space'),
        (labels_alone, r'12 annotations, such as .*bild 00 ä.xml'),
        (absurd_id_without_names, 'class 1000000000, and no data.yaml'),
        (id_beyond_names, r'bild 05 ä.txt, line 1: the class is 2'),
        (pixels_in_yolo, r'bild 05 ä.txt, line 1: .* divide by the size'),
        (names_with_gaps, r'data.yaml: names has the keys \[0, 2\]'),
        (split_that_is_not_there, r"data.yaml names 'nowhere'"),
        (empty_list, r'val.txt names 0 images'),
        (broken_json, r'labels.json is not whole JSON'),
        (panoptic, 'panoptic'),
        (val_file_without_labels, r'val.json has no annotations; label'),
        (
            another_order,
            r'train.json has cat, big dog, and .*val.json has big',
        ),
        (one_name_twice, r"val.json has several categories called \['cat'\]"),
        (backslashes, r"bild 00 ä.png is; write its file_name as 'bild 00 ä.png'"),
        (labels_in_a_table, r'labels.csv is none of these'),
        (_data_yaml('names: [cat, cat]'), r"data.yaml has \['cat'\] more than once"),
        (_data_yaml('names: [cat, dog]\nnc: 3'), r'data.yaml has nc: 3 and 2 names'),
        (_data_yaml('train: images\nval: images'), 'data.yaml has None as names'),
        (_data_yaml('names: {0: cat'), 'data.yaml is not whole YAML; correct it'),
        (_classes_txt('cat\n\ndog\nbird\n'), r'classes.txt: line 2 is blank'),
        (_classes_txt('cat\ncat\n'), r"classes.txt has \['cat'\] more than once"),
        (keypoints, r'bild 05 ä.txt, line 1: .* of keypoints keep the first five'),
        (flat_box_in_yolo, r'bild 05 ä.txt, line 1: the box has no width'),
        (images_elsewhere, r'labels.json names 12 images, .* add the images'),
        (two_training_files, 'train_b.json and another file are both for train'),
        (voc_list_of_validation_alone, r"the splits \['val'\] and none to train on"),
        (yolo_list_of_test_alone, r"the splits \['test'\] and none to train on"),
        (yolo_folder_of_test_beside_others, r"\['test'\] and none to train on"),
        (three_images, '3 labelled images'),
    ],
)
def test_a_bad_folder_is_refused_with_the_file_and_the_fix(make, said, tmp_path):
    make(tmp_path / 'mine')
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')}
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        main(['mine'])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')} == before


def test_no_folder_and_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder'):
        main(['mine'])
    (tmp_path / 'mine.zip').touch()
    with pytest.raises(NotADirectoryError, match='is a file'):
        main(['mine.zip'])


def test_what_is_left_out_is_said(tmp_path, capsys):
    root = write_voc(tmp_path / 'mine', count=10, lists=True)
    (root / 'Annotations' / 'alone.xml').write_text(voc_xml('cat'))
    write_image(root / 'JPEGImages' / 'unlabelled.png', 50)
    train = root / 'ImageSets' / 'Main' / 'train.txt'
    train.write_text('\n'.join(stem_of(n) for n in (1, 2, 4, 5, 99)))
    main(['mine'])
    out = capsys.readouterr().out
    assert '1 images have no annotation and are left out' in out
    assert '1 annotations have no image and are left out' in out
    assert '1 ids of' in out
    assert 'are few' in out
    assert 'in the validation images and never in the training images: big dog' in out
    assert 'big dog; they are no classes of the config' in out


def test_files_that_are_not_read_are_said(tmp_path, capsys):
    root = write_coco(tmp_path / 'mine')
    (root / 'results.json').write_text('[]')
    (root / 'test.json').write_text('{"images": [], "categories": []}')
    main(['mine'])
    out = capsys.readouterr().out
    assert 'have no annotations: mine/test.json' in out
    assert 'not in COCO format and are not read: mine/results.json' in out


def test_a_link_back_and_an_image_on_both_sides(tmp_path, capsys):
    root = write_voc(tmp_path / 'mine', lists=True)
    (root / 'ImageSets' / 'Main' / 'test.txt').write_text(stem_of(1))
    (root / 'JPEGImages' / 'back').symlink_to(root)
    with open(root / 'ImageSets' / 'Main' / 'val.txt', 'a') as file:
        file.write(stem_of(0))
    main(['mine'])
    out = capsys.readouterr().out
    assert '1 of 5 validation images are training images too' in out
    assert stem_of(0) in out
    assert '1 of 1 test images are training images too' in out
    assert stem_of(1) in out


def test_a_broken_image_stays_out_of_the_split(tmp_path, capsys):
    root = write_yolo(tmp_path / 'mine')
    (root / 'images' / f'{stem_of(2)}.png').write_bytes(b'\x89PNG')
    main(['mine'])
    assert '1 images cannot be read and are left out' in capsys.readouterr().out
    lists = [(root / f'mmmix_{name}.txt').read_text() for name in ('train', 'val')]
    assert stem_of(2) not in ''.join(lists)
    assert ''.join(lists).count('.png\n') == 11
