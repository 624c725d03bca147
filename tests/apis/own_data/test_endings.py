"""Labels and lists whose endings are in upper case, as on Windows."""

from __future__ import annotations

from collections import Counter

import pytest
from mmdet.registry import DATASETS

from mmmix.apis.own_data.find import find_layout
from mmmix.datasets.contents import watched_loading

from .folders import CLASSES, WRITERS, stem_of, voc_xml, write_image, write_voc


def renamed(root, old, ending):
    for path in [path for path in root.rglob(f'*{old}') if path.is_file()]:
        path.rename(path.with_suffix(ending))
    return root


ENDINGS = dict(voc='.xml', coco='.json', yolo='.txt')


@pytest.mark.parametrize('kind', ENDINGS)
@pytest.mark.parametrize('change', [str.upper, str.capitalize])
def test_labels_are_read_whatever_the_case_of_their_ending(tmp_path, kind, change):
    old = ENDINGS[kind]
    data = renamed(WRITERS[kind](tmp_path / 'data'), old, f'.{change(old[1:])}')
    layout = find_layout(data)
    assert layout.kind == kind
    assert layout.splits['all'].names == Counter({'cat': 8, 'big dog': 4})
    assert not [note for note in layout.notes if 'no object' not in note]


@pytest.mark.parametrize('name', ['data.YAML', 'Dataset.yaml', 'Classes.TXT'])
def test_names_of_classes_are_read_so_too(tmp_path, name):
    data = WRITERS['yolo'](tmp_path / 'data')
    (data / 'data.yaml').rename(data / name)
    if name.endswith('TXT'):
        (data / name).write_text('\n'.join(CLASSES))
    layout = find_layout(data)
    assert layout.splits['all'].names == Counter({'cat': 8, 'big dog': 4})


@pytest.mark.parametrize('name', ['train.TXT', 'Train.txt'])
def test_lists_are_read_so_too(tmp_path, name):
    data = write_voc(tmp_path / 'data', lists=True)
    lists = data / 'ImageSets/Main'
    (lists / 'train.txt').rename(lists / name)
    layout = find_layout(data)
    assert {key: len(s.items) for key, s in layout.splits.items()} == dict(
        train=8, val=4
    )
    assert layout.splits['train'].settings['ann_file'] == f'ImageSets/Main/{name}'


def voc_set(data, **more):
    return dict(
        type='VOCLayoutDataset',
        data_root=str(data),
        ann_file='train.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=CLASSES),
        **more,
    )


def yolo_set(data, **more):
    return dict(
        type='YOLODataset',
        data_root=str(data),
        data_prefix=dict(img='images/'),
        metainfo=dict(classes=CLASSES),
        **more,
    )


def test_the_data_sets_read_what_the_layouts_read(tmp_path):
    voc = write_voc(tmp_path / 'voc', count=3)
    (voc / 'train.txt').write_text('\n'.join(stem_of(n) for n in range(3)))
    yolo = WRITERS['yolo'](tmp_path / 'yolo', count=3)
    before = [DATASETS.build(voc_set(voc)), DATASETS.build(yolo_set(yolo))]
    renamed(voc, '.xml', '.XML')
    renamed(yolo / 'labels', '.txt', '.TXT')
    renamed(voc, '.png', '.Png')
    after = [DATASETS.build(voc_set(voc)), DATASETS.build(yolo_set(yolo))]
    for old, new in zip(before, after):
        found = [new.get_data_info(index)['instances'] for index in range(3)]
        assert found == [old.get_data_info(index)['instances'] for index in range(3)]
        assert [some[0]['bbox_label'] for some in found] == [1, 0, 0]
    assert after[0].get_data_info(0)['img_path'].endswith('.Png')


def test_what_is_wrong_with_such_a_file_is_said(tmp_path):
    data = write_voc(tmp_path / 'voc', count=3)
    (data / 'train.txt').write_text('\n'.join(stem_of(n) for n in range(3)))
    path = data / 'Annotations' / f'{stem_of(1)}.XML'
    path.with_suffix('.xml').unlink()
    path.write_text(voc_xml('cat').replace('<xmin>10<', '<xmin>ten<'))
    with watched_loading(), pytest.raises(ValueError, match=r'ä\.XML: object 1 \(cat'):
        DATASETS.build(voc_set(data))


def test_labels_without_images_are_told_so_too(tmp_path):
    data = WRITERS['yolo'](tmp_path / 'data')
    (data / 'labels/alone.TXT').write_text('0 .5 .5 .1 .1')
    (note,) = find_layout(data).notes
    assert note.startswith('1 label files have no image:')
    assert 'alone.TXT' in note
    write_image(data / 'images/alone.png', 99)
    assert not find_layout(data).notes
