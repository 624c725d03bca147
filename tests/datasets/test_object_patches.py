"""Patches cut out of photographs: which objects, and their outline."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from mmmix.commands import make_object_patches
from mmmix.datasets.object_patches import cut_out, write_patches
from mmmix.datasets.transforms.transplant_patch import find_patches, read_patch

CLASSES = ('cat', 'dog')


def disc(centre, radius=24, size=(120, 160)):
    """A red disc on green ground with some noise, and the mask of the disc."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    mask = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2
    image = np.where(mask[..., None], (30, 30, 200), (40, 170, 60))
    return np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8), mask


def write_voc(root, images):
    """A VOC folder: by id, an image and its objects (name, difficult, VOC's box)."""
    for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / part).mkdir(parents=True)
    (root / 'ImageSets/Main/train.txt').write_text('\n'.join(images))
    for key, (image, objects) in images.items():
        quality = [cv2.IMWRITE_JPEG_QUALITY, 100]
        cv2.imwrite(str(root / f'JPEGImages/{key}.jpg'), image, quality)
        body = ''.join(
            f'<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>'
            f'<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>'
            '</bndbox></object>'
            for name, difficult, (x1, y1, x2, y2) in objects
        )
        size = '<size><width>160</width><height>120</height><depth>3</depth></size>'
        text = f'<annotation>{size}{body}</annotation>'
        (root / f'Annotations/{key}.xml').write_text(text)


def around(centre, radius):
    """VOC's box of a disc: pixels from 1, the last one inside."""
    x, y = centre
    return (x - radius + 1, y - radius + 1, x + radius + 1, y + radius + 1)


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    """Images of one disc each, and some whose object is not to be cut."""
    root = tmp_path_factory.mktemp('voc') / 'data'
    middle, edge = (80, 60), (23, 60)
    whole = ('cat', 0, around(middle, 24))
    held = ('person', 0, (90, 60, 150, 110))
    images = {
        'small': (disc(middle, 20)[0], [('cat', 0, around(middle, 20))]),
        'large': (disc(middle, 24)[0], [whole]),
        'dog': (disc(middle, 24)[0], [('dog', 0, around(middle, 24))]),
        'hard': (disc(middle, 26)[0], [('cat', 1, around(middle, 26))]),
        'edge': (disc(edge, 24)[0], [('cat', 0, (1, 37, 48, 85))]),
        'pair': (disc(middle, 24)[0], [whole, ('dog', 0, (90, 60, 150, 110))]),
        'held': (disc(middle, 25)[0], [('cat', 0, around(middle, 25)), held]),
        'tiny': (disc(middle, 10)[0], [('dog', 0, around(middle, 10))]),
    }
    write_voc(root, images)
    return root


def test_the_outline_is_found_from_the_box():
    image, mask = disc((80, 60))
    patch = cut_out(image, (56, 36, 105, 85))
    inside = mask[36:85, 56:105]
    assert patch.shape == (49, 49, 4)
    assert np.array_equal(patch[..., :3], image[36:85, 56:105])
    assert set(np.unique(patch[..., 3])) == {0, 255}
    assert ((patch[..., 3] > 0) == inside).mean() > 0.98
    again = cut_out(image, (56, 36, 105, 85))
    assert np.array_equal(again, patch)


def test_what_has_no_outline_is_left_out():
    # a thin line across the box, and a box that is all object
    image, _ = disc((80, 60))
    line = image.copy()
    line[:], line[58:62] = (40, 170, 60), (30, 30, 200)
    assert cut_out(line, (30, 20, 130, 100)) is None
    assert cut_out(image, (70, 50, 90, 70)) is None


def test_the_largest_whole_objects_are_cut(voc, tmp_path):
    out = tmp_path / 'patches'
    counts = write_patches(voc, out, 'train', CLASSES, count=2, min_side=32)
    assert counts == {'cat': 2, 'dog': 1}
    files = find_patches(out, CLASSES)
    assert {path.name for path in files['cat']} == {'large_0.png', 'small_0.png'}
    assert [path.name for path in files['dog']] == ['dog_0.png']
    # TransplantPatch reads them, cut to the disc
    height, width, _ = read_patch(out / 'cat/small_0.png').shape
    assert abs(height - 41) <= 1
    assert abs(width - 41) <= 1
    first = write_patches(voc, tmp_path / 'one', 'train', CLASSES, 1, 32)
    assert first == {'cat': 1, 'dog': 1}
    assert [p.name for p in (tmp_path / 'one/cat').iterdir()] == ['large_0.png']


def test_images_that_were_trained_on_are_left_out(voc, tmp_path, capsys):
    seen = tmp_path / 'seen.txt'
    seen.write_text('large\ndog\n')
    out = tmp_path / 'patches'
    options = ['--classes', *CLASSES, '--min-side', '32', '--without', str(seen)]
    make_object_patches.main([str(voc), '--out', str(out), *options])
    assert 'Patches: 1 of cat, 0 of dog' in capsys.readouterr().out
    assert [path.name for path in out.rglob('*.png')] == ['small_0.png']
    with pytest.raises(FileExistsError, match='choose another --out'):
        make_object_patches.main([str(voc), '--out', str(out), *options])


def test_nothing_to_cut_is_an_error_and_leaves_nothing(voc, tmp_path):
    with pytest.raises(ValueError, match=r"no whole object of \['sheep'\] of at least"):
        write_patches(voc, tmp_path / 'out', 'train', ['sheep'])
    with pytest.raises(FileNotFoundError, match='no list nosuch; the splits there'):
        write_patches(voc, tmp_path / 'out', 'nosuch', CLASSES)
    with pytest.raises(FileNotFoundError, match='--without nosuch.txt: there is no'):
        make_object_patches.main([str(voc), '--out', 'x', '--without', 'nosuch.txt'])
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        make_object_patches.parse_args(['voc', '--out', 'o', '--count', '0'])


def test_a_photograph_that_its_tag_turns_is_cut_as_it_is_stored(voc, tmp_path):
    patches = []
    for orientation in (1, 6):
        root = shutil.copytree(voc, tmp_path / f'data{orientation}')
        path = root / 'JPEGImages/large.jpg'
        with Image.open(path) as image:
            exif = image.getexif()
            exif[0x0112] = orientation
            image.save(path, exif=exif, quality='keep')
        out = tmp_path / f'patches{orientation}'
        write_patches(root, out, 'train', ['cat'], 1, 40)
        patches.append({p.name: read_patch(p).tolist() for p in out.rglob('*.png')})
    assert patches[0] == patches[1]
    assert len(patches[0]) == 1
