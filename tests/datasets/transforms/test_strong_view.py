"""The strong augmentations: what they change, by how much, and what they leave."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
from mmdet.registry import TRANSFORMS

from mmmix.datasets.transforms import strong_view
from mmmix.datasets.transforms.strong_view import _recoloured

BOXES = np.array([[3.0, 4.0, 20.0, 30.0]])
SETTINGS = {
    'ColorJitter': dict(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    'GaussianBlur': dict(sigma=(0.1, 2.0)),
    'NoisePatch': dict(area=(0.05, 0.2), aspect=(0.3, 3.3)),
}


@pytest.fixture
def image() -> np.ndarray:
    """A picture with colours: (60, 80, 3) uint8."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 220, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (80, 60), interpolation=cv2.INTER_CUBIC)


def apply(kind: str, image: np.ndarray, seed: int = 0, **settings) -> np.ndarray:
    """The image after a transform."""
    np.random.seed(seed)
    transform = TRANSFORMS.build(dict(type=kind, **settings))
    return transform(dict(img=image))['img']


@pytest.mark.parametrize('kind', SETTINGS)
def test_only_the_pixels_of_a_copy_change(kind, image):
    """Other branches of the pipeline may hold the same array."""
    results = dict(img=image, gt_bboxes=BOXES.copy(), img_shape=(60, 80))
    before = copy.deepcopy(results)
    np.random.seed(1)
    after = TRANSFORMS.build(dict(type=kind, **SETTINGS[kind]))(dict(results))
    assert np.array_equal(image, before['img'])
    assert not np.array_equal(after['img'], image)
    assert after['img'].shape == image.shape
    assert after['img'].dtype == np.uint8
    assert np.array_equal(after['gt_bboxes'], BOXES)
    assert after['img_shape'] == (60, 80)


@pytest.mark.parametrize('kind', SETTINGS)
def test_the_global_generator_decides(kind, image):
    one, same = (apply(kind, image, 5, **SETTINGS[kind]) for _ in range(2))
    other = apply(kind, image, 6, **SETTINGS[kind])
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_jitter_of_nothing_changes_nothing(image):
    none = dict(brightness=0, contrast=0, saturation=0, hue=0)
    result = apply('ColorJitter', image, **none).astype(int)
    # going to HSV and back rounds
    assert np.abs(result - image).max() <= 8
    assert np.abs(result - image).mean() < 1.5


def test_jitter_changes_all_four_in_a_random_order(image, monkeypatch):
    names: list[str] = []

    def record(picture, name, draw):
        names.append(name)
        return picture

    monkeypatch.setattr(strong_view, '_recoloured', record)
    for seed in range(20):
        apply('ColorJitter', image, seed)
    orders = {tuple(names[k : k + 4]) for k in range(0, len(names), 4)}
    assert len(names) == 80
    assert all(
        set(o) == {'brightness', 'contrast', 'saturation', 'hue'} for o in orders
    )
    assert len(orders) > 8
    assert {order[0] for order in orders} == set(names)


def test_brightness_multiplies(image):
    for seed in range(5):
        none = dict(contrast=0, saturation=0, hue=0)
        result = apply('ColorJitter', np.full_like(image, 100), seed, **none)
        assert len(np.unique(result)) == 1
        assert 59 <= result[0, 0, 0] <= 141
    brighter = _recoloured(np.full_like(image, 100), 'brightness', 0.3)
    assert np.unique(brighter) == [130]


def test_contrast_moves_away_from_the_mean_and_saturation_from_grey(image):
    contrast = _recoloured(image, 'contrast', 0.3).astype(float)
    assert contrast.std() > 1.2 * image.std()
    assert contrast.mean() == pytest.approx(image.mean(), abs=4)
    spread = image.astype(float).std(axis=2).mean()
    saturated = _recoloured(image, 'saturation', 0.3).astype(float)
    assert saturated.std(axis=2).mean() > 1.15 * spread
    grey = _recoloured(image, 'saturation', -1.0).astype(float)
    assert grey.std(axis=2).max() < 1


@pytest.mark.parametrize('turn', [1 / 3, -1 / 3])
def test_hue_turns_the_colour_wheel_both_ways(turn):
    """A third of a turn: red becomes green, or the other way round blue."""
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 2] = 200
    channel = int(np.argmax(_recoloured(red, 'hue', turn)[0, 0]))
    assert channel == (1 if turn > 0 else 0)


def test_blur_smooths_by_its_sigma():
    edge = np.zeros((40, 40, 3), np.uint8)
    edge[:, 20:] = 200
    for sigma in (0.5, 2.0):
        blurred = apply('GaussianBlur', edge, sigma=(sigma, sigma)).astype(float)
        # Between the two sides of a step lies the middle weight of the kernel.
        weights = np.exp(-0.5 * (np.arange(-10, 11) / sigma) ** 2)
        slope = blurred[20, 20, 0] - blurred[20, 19, 0]
        assert slope == pytest.approx(200 / weights.sum(), abs=2)
        assert np.array_equal(blurred[:, :10], edge[:, :10])


def test_a_patch_is_one_rectangle_of_noise_in_its_bounds(image):
    grey = np.full((60, 80, 3), 127, np.uint8)
    areas, aspects = [], []
    for seed in range(60):
        result = apply('NoisePatch', grey, seed, area=(0.1, 0.3), aspect=(0.5, 2.0))
        changed = (result != 127).any(axis=2)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert changed.sum() == pytest.approx(height * width, rel=0.01)
        areas.append(height * width / changed.size)
        aspects.append(height / width)
        noise = result[changed]
        assert noise.std() == pytest.approx(255 / np.sqrt(12), rel=0.15)
    assert 0.09 <= min(areas) < 0.14
    assert 0.25 < max(areas) <= 0.31
    assert 0.45 <= min(aspects) < 0.7
    assert 1.5 < max(aspects) <= 2.1


@pytest.mark.parametrize('aspect', [20.0, 0.05])
def test_a_patch_that_never_fits_leaves_the_image(image, aspect):
    result = apply('NoisePatch', image, area=(0.9, 0.9), aspect=(aspect, aspect))
    assert np.array_equal(result, image)


@pytest.mark.parametrize(
    ('kind', 'settings', 'name'),
    [
        ('ColorJitter', dict(brightness=1.1), 'ColorJitter.brightness'),
        ('ColorJitter', dict(saturation=-0.1), 'ColorJitter.saturation'),
        ('ColorJitter', dict(hue=0.6), 'ColorJitter.hue'),
        ('GaussianBlur', dict(sigma=(0.0, 1.0)), 'GaussianBlur.sigma'),
        ('GaussianBlur', dict(sigma=(2.0, 1.0)), 'GaussianBlur.sigma'),
        ('NoisePatch', dict(area=(0.5, 1.5)), 'NoisePatch.area'),
        ('NoisePatch', dict(aspect=(0.0, 1.0)), 'NoisePatch.aspect'),
        ('NoisePatch', dict(aspect=(1.0,)), 'NoisePatch.aspect'),
    ],
)
def test_bad_settings_are_named(kind, settings, name):
    with pytest.raises(ValueError, match=name):
        TRANSFORMS.build(dict(type=kind, **settings))


def test_representations_list_the_settings():
    texts = [repr(TRANSFORMS.build(dict(type=k, **s))) for k, s in SETTINGS.items()]
    assert texts == [
        'ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)',
        'GaussianBlur(sigma=(0.1, 2.0))',
        'NoisePatch(area=(0.05, 0.2), aspect=(0.3, 3.3))',
    ]
