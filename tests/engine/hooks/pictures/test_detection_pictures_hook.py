"""Pictures of detections: a file for each image, and no end of a test."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from PIL import Image

from mmmix.engine import DetectionPicturesHook
from mmmix.engine.hooks.pictures.detection_pictures_hook import (
    common_folder,
    folder_below,
)


class Images:
    """A data set as the hook sees it."""

    def __init__(self, paths):
        self._paths = [str(path) for path in paths]

    def __len__(self):
        return len(self._paths)

    def get_data_info(self, index):
        return dict(img_path=self._paths[index])


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((40, 50, 3), value, np.uint8))
    return path


def detected(path, **meta):
    sample = DetDataSample(metainfo=dict(img_path=str(path), **meta))
    sample.pred_instances = InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0).long(), scores=torch.zeros(0)
    )
    return sample


def draw(tmp_path, paths):
    """All pictures of a test in batches of two, by their path below SHOW_DIR."""
    # A name of its own: the hook takes the one made last, also by other tests.
    drawer = DetLocalVisualizer.get_instance(str(tmp_path))
    drawer.dataset_meta = dict(classes=('a',))
    hook = DetectionPicturesHook(draw=True, test_out_dir='shown')
    runner = SimpleNamespace(
        work_dir=str(tmp_path / 'work'),
        timestamp='now',
        test_dataloader=SimpleNamespace(dataset=Images(paths)),
    )
    hook.before_test(runner)
    for index in range(0, len(paths), 2):
        batch = [detected(path) for path in paths[index : index + 2]]
        hook.after_test_iter(runner, index // 2, {}, batch)
    folder = tmp_path / 'work/now/shown'
    return {
        str(path.relative_to(folder)): int(cv2.imread(str(path)).mean().round())
        for path in folder.rglob('*.png')
    }


def test_images_of_equal_names_in_several_folders(tmp_path):
    names = ['a/1.png', 'b/1.png', 'b/c/1.png', '1.png', 'a/2.png']
    paths = [
        write(tmp_path / 'data' / name, 20 * place) for place, name in enumerate(names)
    ]
    assert draw(tmp_path, paths) == {
        name: 20 * place for place, name in enumerate(names)
    }


@pytest.mark.parametrize('test', [True, False])
@pytest.mark.parametrize('loaded', ['stored', 'turned'])
def test_a_photo_is_drawn_as_it_was_loaded(tmp_path, monkeypatch, loaded, test):
    """Of one that EXIF turns boxes are for what is stored, or for what is shown."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'a.png'
    Image.fromarray(pixels).save(path, exif=exif)
    wanted = pixels if loaded == 'stored' else np.rot90(pixels, -1)
    seen = []
    monkeypatch.setattr(
        DetLocalVisualizer,
        'add_datasample',
        lambda self, name, image, **_: seen.append(image),
    )
    DetLocalVisualizer.get_instance(str(tmp_path))
    hook = DetectionPicturesHook(draw=True, interval=1)
    sample = detected(path, ori_shape=wanted.shape[:2])
    draw_one = hook.after_test_iter if test else hook.after_val_iter
    draw_one(SimpleNamespace(iter=0), 0, {}, [sample])
    np.testing.assert_array_equal(seen, [wanted])


def test_images_of_one_folder_are_named_as_in_mmdet(tmp_path):
    paths = [write(tmp_path / f'data/{k}.png', 30 * k) for k in range(3)]
    assert draw(tmp_path, paths) == {f'{k}.png': 30 * k for k in range(3)}


def test_what_cannot_be_drawn_is_said_once(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.visualization.guarded.print_log', lambda text, **_: said.append(text)
    )
    paths = [write(tmp_path / f'data/{k}.png', 30 * k) for k in range(4)]
    for broken in paths[1:3]:
        broken.write_bytes(b'no image')
    assert set(draw(tmp_path, paths)) == {'0.png', '3.png'}
    assert len(said) == 1


@pytest.mark.parametrize(
    ('paths', 'root', 'below'),
    [
        (['x/a/1.jpg', 'x/b/1.jpg'], 'x', ['a', 'b']),
        (['/x/a/1.jpg', 'y/1.jpg'], None, ['x/a', 'y']),
        (['s3://bucket/a/1.jpg', 's3://bucket/b/1.jpg'], 's3:/bucket', None),
        ([], None, []),
    ],
)
def test_folders(paths, root, below):
    assert common_folder(Images(paths)) == root
    if below is not None:
        assert [folder_below(path, root) for path in paths] == below
    elsewhere = folder_below('../../elsewhere/1.jpg', 'x')
    assert not elsewhere.startswith('..')
