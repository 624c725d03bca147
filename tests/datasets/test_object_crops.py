"""Crops of objects: windows by hand, pixels and boxes of a small VOC folder."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmmix.apis.plain_errors import said_by_us
from mmmix.commands import make_glyphs, make_object_crops
from mmmix.datasets.object_crops import CropSettings, crop_window, write_crops

CLASSES = ('cat', 'dog')


@pytest.mark.parametrize(
    ('box', 'context', 'window'),
    [
        # 40 x 20 in the middle: 10 and 5 pixels more on either side
        ((30, 40, 70, 60), 1.5, (20, 35, 80, 65)),
        ((30, 40, 70, 60), 1.0, (30, 40, 70, 60)),
        # cut at the edges of 100 x 80
        ((0, 40, 100, 80), 1.5, (0, 30, 100, 80)),
        # rounded outwards: 3 x 5 gets .75 and 1.25
        ((10, 10, 13, 15), 1.5, (9, 8, 14, 17)),
    ],
)
def test_windows(box, context, window):
    assert crop_window(box, (80, 100), context) == window


def write_voc(root, objects):
    """One image of 80 x 100 px whose pixel (y, x) is (x, y, 0), and its objects."""
    for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / part).mkdir(parents=True)
    rows, columns = np.mgrid[:80, :100]
    image = np.stack([columns, rows, 0 * rows], axis=-1).astype(np.uint8)
    cv2.imwrite(str(root / 'JPEGImages/a.jpg'), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    (root / 'ImageSets/Main/train.txt').write_text('a\n')
    body = ''.join(
        f'<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>'
        f'<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>'
        '</bndbox></object>'
        for name, difficult, (x1, y1, x2, y2) in objects
    )
    size = '<size><width>100</width><height>80</height><depth>3</depth></size>'
    (root / 'Annotations/a.xml').write_text(f'<annotation>{size}{body}</annotation>')


# VOC counts pixels from 1: mmdet's (and our) boxes are one less.
OBJECTS = [
    ('dog', 0, (31, 41, 71, 61)),
    ('cat', 1, (31, 41, 71, 61)),  # difficult
    ('cat', 0, (11, 11, 21, 51)),  # 10 pixels wide
    ('cow', 0, (31, 41, 71, 61)),  # no class of ours
    ('cat', 0, (1, 41, 41, 81)),
]


def test_every_object_becomes_an_image_with_its_box(tmp_path):
    write_voc(tmp_path / 'voc', OBJECTS)
    settings = CropSettings(CLASSES, context=1.5, min_side=12)
    splits = ['train', 'train']  # once is enough
    counts = write_crops(tmp_path / 'voc', tmp_path / 'out', splits, settings)
    assert counts == {'train': 2}
    content = json.loads((tmp_path / 'out/annotations/train.json').read_text())
    assert [entry['name'] for entry in content['categories']] == list(CLASSES)
    labels = [entry['category_id'] for entry in content['annotations']]
    boxes = [entry['bbox'] for entry in content['annotations']]
    # the dog's window is (20, 35, 80, 65), the cat's (0, 30, 50, 80)
    assert labels == [1, 0]
    assert boxes == [[10, 5, 40, 20], [0, 10, 40, 40]]
    for entry, (x1, y1, x2, y2) in zip(
        content['images'], [(20, 35, 80, 65), (0, 30, 50, 80)]
    ):
        crop = cv2.imread(str(tmp_path / 'out/images/train' / entry['file_name']))
        assert crop.shape == (entry['height'], entry['width'], 3)
        assert crop.shape[:2] == (y2 - y1, x2 - x1)
        rows, columns = np.mgrid[y1:y2, x1:x2]
        assert np.abs(crop[..., 0].astype(int) - columns).mean() < 3
        assert np.abs(crop[..., 1].astype(int) - rows).mean() < 3


def tag(path, orientation):
    """Write into a file of an image how it is to be shown; 6: turned by a quarter."""
    with Image.open(path) as image:
        exif = image.getexif()
        exif[0x0112] = orientation
        image.save(path, exif=exif, quality='keep')


def test_objects_of_a_photograph_that_its_tag_turns_are_where_they_were(tmp_path):
    for name, orientation in (('as it is', 1), ('turned', 6)):
        write_voc(tmp_path / name, OBJECTS)
        tag(tmp_path / name / 'JPEGImages/a.jpg', orientation)
    crops = []
    for name in ('as it is', 'turned'):
        out = tmp_path / f'{name} out'
        write_crops(tmp_path / name, out, ['train'], CropSettings(CLASSES, 1.5, 12))
        crops.append({p.relative_to(out): p.read_bytes() for p in out.rglob('*.*')})
    assert crops[0] == crops[1]
    assert len(crops[0]) == 3


def test_nothing_to_crop_is_an_error(tmp_path):
    write_voc(tmp_path / 'voc', OBJECTS)
    settings = CropSettings(('sheep',), min_side=12)
    with pytest.raises(ValueError, match="no object of \\['sheep'\\] of at least 12"):
        write_crops(tmp_path / 'voc', tmp_path / 'out', ['train'], settings)
    assert not (tmp_path / 'out').exists()


def test_a_folder_of_before_is_left(tmp_path):
    """Files of other settings would stay among the new ones."""
    write_voc(tmp_path / 'voc', OBJECTS)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/old.jpg').write_bytes(b'old')
    out = ['--out', str(tmp_path / 'out')]
    crops = [str(tmp_path / 'voc'), '--splits', 'train', '--min-side', '12', *out]
    for command, words in ((make_object_crops, crops), (make_glyphs, out)):
        with pytest.raises(FileExistsError, match='out exists; remove it or choose'):
            command.main(words)
    assert [path.name for path in tmp_path.glob('out*/*')] == ['old.jpg']


def test_lists_that_are_missing_are_told_before_anything_is_written(tmp_path):
    write_voc(tmp_path / 'voc', OBJECTS)
    (tmp_path / 'voc/ImageSets/Main/cat_train.txt').write_text('a 1')
    for root, said in (
        ('voc', r'Main has no list vall; the splits there are train$'),
        ('nosuch', r'nosuch has no folder ImageSets/Main; give the folder with'),
    ):
        words = [str(tmp_path / root), '--out', str(tmp_path / 'out')]
        with pytest.raises(FileNotFoundError, match=said) as caught:
            make_object_crops.main([*words, '--splits', 'train', 'vall'])
        assert said_by_us(caught.value)
    assert not (tmp_path / 'out').exists()


def test_the_command(tmp_path, capsys):
    write_voc(tmp_path / 'voc', OBJECTS)
    where = [str(tmp_path / 'voc'), '--out', str(tmp_path / 'out'), '--splits', 'train']
    make_object_crops.main([*where, '--classes', 'dog', '--min-side', '12'])
    assert 'Crops: 1 of train' in capsys.readouterr().out
    for bad in (['--context', '0.5'], ['--classes', 'dog', 'dog']):
        with pytest.raises(SystemExit):
            make_object_crops.main([*where, *bad])


def test_glyphs_are_enlarged_digits(tmp_path, monkeypatch):
    pytest.importorskip('sklearn')
    all_of = make_glyphs.samples_of
    monkeypatch.setattr(make_glyphs, 'samples_of', lambda *key: all_of(*key)[:2])
    out = tmp_path / 'glyphs'
    make_glyphs.main(['--out', str(out)])
    files = sorted(out.rglob('*.png'))
    assert len(files) == len({file.stem for file in files}) == 60
    from sklearn.datasets import load_digits

    source = load_digits()
    for file in files[::12]:
        image = cv2.imread(str(file))
        assert image.shape == (32, 32, 3)
        assert int(file.parent.name) == source.target[int(file.stem)]
        small = cv2.resize(image[..., 0], (8, 8), interpolation=cv2.INTER_AREA)
        assert np.abs(small / 255 - source.images[int(file.stem)] / 16).mean() < 0.08
