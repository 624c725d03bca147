"""YOLODataset: what mmdet loads from the same boxes in its own formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope
from PIL import Image

from mmmix.datasets.contents import watched_loading

CLASSES = ('cat', 'big dog')
SIZES = {'a 1': (80, 40), 'b': (50, 100), 'empty': (64, 64)}
BOXES = {
    'a 1': [(0, (8, 4, 40, 20)), (1, (0, 0, 80, 40))],
    'b': [(1, (10, 25, 35, 75))],
    'empty': [],
}
PIPELINE = [dict(type='LoadAnnotations', with_bbox=True)]


@pytest.fixture
def folder(tmp_path):
    """Three images, with labels in YOLO's and COCO's format."""
    (tmp_path / 'images').mkdir()
    (tmp_path / 'labels').mkdir()
    images, annotations = [], []
    for id_, (name, (width, height)) in enumerate(SIZES.items()):
        Image.new('RGB', (width, height)).save(tmp_path / 'images' / f'{name}.jpg')
        images.append(dict(id=id_, file_name=f'{name}.jpg', width=width, height=height))
        lines = []
        for label, (x1, y1, x2, y2) in BOXES[name]:
            w, h = x2 - x1, y2 - y1
            lines.append(
                f'{label} {(x1 + w / 2) / width} {(y1 + h / 2) / height} '
                f'{w / width} {h / height}'
            )
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=id_,
                    category_id=label,
                    bbox=[x1, y1, w, h],
                    area=w * h,
                    iscrowd=0,
                )
            )
        if lines:
            (tmp_path / 'labels' / f'{name}.txt').write_text('\n'.join(lines))
    categories = [dict(id=i, name=name) for i, name in enumerate(CLASSES)]
    content = dict(images=images, annotations=annotations, categories=categories)
    (tmp_path / 'all.json').write_text(json.dumps(content))
    (tmp_path / 'list.txt').write_text(
        'images/a 1.jpg\n./images/b.jpg\n\nimages/empty.jpg\n'
    )
    return tmp_path


def build(folder, kind='YOLODataset', **settings):
    init_default_scope('mmdet')
    settings = dict(metainfo=dict(classes=CLASSES), pipeline=PIPELINE, **settings)
    return DATASETS.build(dict(type=kind, data_root=str(folder), **settings))


@pytest.mark.parametrize(
    'where', [dict(ann_file='list.txt'), dict(data_prefix=dict(img='images'))]
)
def test_it_loads_what_coco_dataset_loads(folder, where):
    ours = build(folder, **where)
    prefix = dict(data_prefix=dict(img='images'))
    stock = build(folder, 'CocoDataset', ann_file='all.json', **prefix)
    assert len(ours) == len(stock) == 3
    for mine, its in zip(ours, stock):
        assert (mine['height'], mine['width']) == (its['height'], its['width'])
        assert mine['gt_bboxes_labels'].tolist() == its['gt_bboxes_labels'].tolist()
        assert mine['gt_bboxes'].numpy() == pytest.approx(its['gt_bboxes'].numpy())
        assert mine['gt_ignore_flags'].tolist() == its['gt_ignore_flags'].tolist()
    assert [info['img_id'] for info in ours] == [f'images/{name}' for name in SIZES]


def test_filter_cfg_is_as_elsewhere_and_for_training_alone(folder):
    settings = dict(ann_file='list.txt', filter_cfg=dict(filter_empty_gt=True))
    assert len(build(folder, **settings)) == 2
    assert len(build(folder, test_mode=True, **settings)) == 3
    settings['filter_cfg'] = dict(min_size=50)
    assert [info['height'] for info in build(folder, **settings)] == [100, 64]
    settings['filter_cfg'] = dict(min_size=50, bbox_min_size=32)
    with pytest.raises(ValueError, match=r"got \['bbox_min_size'\], which would have"):
        build(folder, **settings)


def test_an_image_that_exif_turns_has_the_size_one_sees(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (80, 40)).save(folder / 'images' / 'b.jpg', exif=exif)
    info = build(folder, ann_file='list.txt').get_data_info(1)
    assert (info['width'], info['height']) == (40, 80)


def test_faults_name_file_and_fix(folder):
    label = folder / 'labels' / 'b.txt'
    label.write_text('7 .5 .5 .1 .1\n0 .5 .5 .1\n0 .5 .5 0 .1\n')
    with pytest.raises(ValueError, match='3 lines of label files') as error:
        build(folder, ann_file='list.txt')
    assert f'{label}, line 1: the class is 7' in str(error.value)
    assert f'{label}, line 3: the box has no width or height' in str(error.value)
    (folder / 'list.txt').write_text('images/none.jpg\n')
    with pytest.raises(FileNotFoundError, match=r'none.jpg .* delete the line'):
        build(folder, ann_file='list.txt')
    (folder / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'list.txt has no image'):
        build(folder, ann_file='list.txt')


def test_images_without_any_label_are_refused_in_training(folder):
    for label in (folder / 'labels').iterdir():
        label.unlink()
    with pytest.raises(
        FileNotFoundError, match=r'none of 3 images has labels; .*a 1.txt'
    ):
        build(folder, ann_file='list.txt')
    assert len(build(folder, ann_file='list.txt', test_mode=True)) == 3


def test_unlabelled_images_need_no_label_and_read_none(folder):
    dataset = build(folder, data_prefix=dict(img='images'), labelled=False)
    assert [len(info['gt_bboxes']) for info in dataset] == [0, 0, 0]
    for label in (folder / 'labels').iterdir():
        label.unlink()
    assert len(build(folder, data_prefix=dict(img='images'), labelled=False)) == 3


def test_a_folder_is_walked_as_by_init(folder):
    images = folder / 'images'
    (images / '._a 1.jpg').write_bytes(b'of a file manager')
    (images / 'photos.jpg').mkdir()
    for name in ('work_dirs', 'predictions', '.thumbs'):
        (images / name).mkdir()
        Image.new('RGB', (8, 8)).save(images / name / 'drawn.jpg')
    (folder / 'elsewhere').mkdir()
    Image.new('RGB', (8, 8)).save(folder / 'elsewhere' / 'linked.jpg')
    (images / 'link').symlink_to(folder / 'elsewhere')
    dataset = build(folder, data_prefix=dict(img='images'), labelled=False)
    found = {Path(info['img_path']).name for info in dataset}
    assert found == {'a 1.jpg', 'b.jpg', 'empty.jpg', 'linked.jpg'}


def test_the_check_of_data_sees_names_and_bad_boxes(folder):
    (folder / 'labels' / 'b.txt').write_text('1 .5 .5 0 .1\n')
    with watched_loading(), pytest.raises(ValueError, match='has no width') as error:
        build(folder, ann_file='list.txt')
    assert str(folder / 'labels' / 'b.txt') in str(error.value)
    (folder / 'labels' / 'b.txt').unlink()
    with watched_loading() as seen:
        dataset = build(folder, ann_file='list.txt')
    contents = seen[id(dataset)]
    assert contents.names == {'cat': 1, 'big dog': 1}
    assert contents.categories == CLASSES
