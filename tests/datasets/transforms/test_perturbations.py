"""Noise, holes and common corruptions, against loops and known statistics."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.registry import TRANSFORMS

from mmmix.datasets import CommonCorruption, GaussianNoise, OcclusionHole

STD = (58.0, 57.0, 29.0)


def random_image(seed: int = 0, shape: tuple[int, int] = (40, 52)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    image.flags.writeable = False
    return image


def apply(transform, image, img_id='a'):
    return transform({'img': image, 'img_id': img_id})['img']


@given(st.integers(0, 10**6), st.sampled_from(['pixel', 'normalized']), st.booleans())
@settings(max_examples=20, deadline=None)
def test_no_noise_and_no_hole_change_nothing(seed, scale, clip):
    image = random_image(seed)
    noise = GaussianNoise(0, scale, std=STD, seed=seed, clip=clip)
    hole, frame = OcclusionHole(0), OcclusionHole(1, 'boundary')
    for transform in (noise, hole, frame):
        assert (apply(transform, image) == image).all()


@pytest.mark.parametrize('bgr_to_rgb', [True, False])
def test_deviation_before_clipping(bgr_to_rgb):
    grey = np.full((300, 300, 3), 90, np.uint8)
    noise = GaussianNoise(0.4, clip=False)
    difference = apply(noise, grey) - 90.0
    assert difference.std((0, 1)) / 255 == pytest.approx(0.4, rel=0.01)
    assert abs(difference.mean()) < 1
    noise = GaussianNoise(0.4, 'normalized', STD, bgr_to_rgb, clip=False)
    difference = apply(noise, grey) - 90.0
    expected = np.array(STD[::-1] if bgr_to_rgb else STD) * 0.4
    np.testing.assert_allclose(difference.std((0, 1)), expected, rtol=0.01)


def test_noise_is_that_of_the_image():
    grey = np.full((30, 40, 3), 128, np.float32)
    weak, strong = (apply(GaussianNoise(s, clip=False), grey) - 128 for s in (0.1, 0.3))
    np.testing.assert_allclose(3 * weak, strong, atol=1e-3)
    again = apply(GaussianNoise(0.1, clip=False), grey) - 128
    assert (again == weak).all()
    others = [
        apply(GaussianNoise(0.1, clip=False), grey, 'b'),
        apply(GaussianNoise(0.1, clip=False, seed=1), grey),
    ]
    for other in others:
        assert abs(np.corrcoef((other - 128).ravel(), weak.ravel())[0, 1]) < 0.1


def test_noise_is_rounded_and_clipped():
    image = random_image()
    noisy = apply(GaussianNoise(0.4, clip=False), image)
    clipped = apply(GaussianNoise(0.4), image)
    assert clipped.dtype == np.uint8
    assert (clipped == np.clip(np.round(noisy), 0, 255)).all()
    assert ((noisy < 0) | (noisy > 255)).mean() > 0.2


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0, 1),
    st.sampled_from(['center', 'boundary']),
)
@settings(max_examples=50, deadline=None)
def test_hole_against_a_loop(height, width, size, region):
    image = random_image(height, (height, width))
    fill = (10.0, 20.4, 30.6)  # RGB
    got = apply(OcclusionHole(size, region, fill), image)
    tall, wide = round(height * size), round(width * size)
    top, left = (height - tall) // 2, (width - wide) // 2
    for y in range(height):
        for x in range(width):
            inside = top <= y < top + tall and left <= x < left + wide
            seen = inside == (region == 'boundary')
            expected = image[y, x] if seen else [31, 20, 10]
            assert (got[y, x] == expected).all()
    # The same margin on both sides, up to the pixel that cannot be halved.
    assert 0 <= (height - tall) - 2 * top <= 1


@pytest.mark.parametrize('name', ['impulse_noise', 'shot_noise', 'frost', 'brightness'])
def test_corruption_is_repeatable_and_sees_rgb(name):
    library = pytest.importorskip('imagecorruptions')
    image = random_image(3, (64, 80))
    np.random.seed(11)
    expected_state = np.random.get_state()[1].copy()
    transform = CommonCorruption(name, 3)
    first, again = (apply(transform, image) for _ in range(2))
    assert (np.random.get_state()[1] == expected_state).all()
    assert (first == again).all()
    assert (first != image).any()
    assert first.dtype == np.uint8
    if name == 'brightness':  # draws nothing
        rgb = np.ascontiguousarray(image[..., ::-1])
        expected = library.corrupt(rgb, severity=3, corruption_name=name)[..., ::-1]
        assert (first == expected).all()
    else:
        assert (apply(transform, image, 'b') != first).any()
        assert (apply(CommonCorruption(name, 3, seed=1), image) != first).any()


def test_registered():
    built = TRANSFORMS.build(dict(type='GaussianNoise', sigma=0.2))
    assert repr(built) == (
        "GaussianNoise(sigma=0.2, scale='pixel', unit=[255.0, 255.0, 255.0], seed=0, "
        'clip=True)'
    )
    assert 'OcclusionHole' in TRANSFORMS
    assert 'CommonCorruption' in TRANSFORMS


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: GaussianNoise(-0.1), 'sigma >= 0'),
        (lambda: GaussianNoise(float('nan')), 'sigma >= 0'),
        (lambda: GaussianNoise(0.1, 'grey'), 'scale among'),
        (lambda: GaussianNoise(0.1, 'normalized'), r'needs std=\[...\]'),
        (lambda: GaussianNoise(0.1, 'normalized', [1, 0, 1]), 'numbers above 0 in std'),
        (lambda: GaussianNoise(0.1, 'normalized', []), 'numbers above 0 in std'),
        (lambda: OcclusionHole(1.5), r'size in \[0, 1\]'),
        (lambda: OcclusionHole(0.5, 'left'), 'region among'),
        (lambda: OcclusionHole(0.5, fill=(0, 0, 300)), 'fill in'),
        (lambda: CommonCorruption('rain'), 'name among'),
        (lambda: CommonCorruption('fog', 6), 'severity from 1 to 5'),
    ],
)
def test_wrong_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_small_images_unknown_images_and_a_missing_package(monkeypatch):
    pytest.importorskip('imagecorruptions')
    with pytest.raises(ValueError, match='32 x 32'):
        apply(CommonCorruption('fog'), random_image(shape=(31, 40)))
    with pytest.raises(KeyError, match='img_id'):
        GaussianNoise(0.1)({'img': random_image()})
    with pytest.raises(ValueError, match='CommonCorruption expects uint8 with 3'):
        apply(CommonCorruption('fog'), random_image().astype(np.uint16))
    monkeypatch.setitem(sys.modules, 'imagecorruptions', None)
    with pytest.raises(ModuleNotFoundError, match=r'mmmix\[robustness\]'):
        CommonCorruption('fog')


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize('shape', [(64, 64), (64, 64, 1), (64, 64, 3), (64, 64, 5)])
def test_noise_knows_white_of_every_depth(dtype, shape):
    white = np.iinfo(dtype).max
    grey = np.full(shape, white // 2, dtype)
    noisy = apply(GaussianNoise(0.1), grey)
    assert noisy.dtype == dtype
    assert noisy.shape == shape
    assert noisy.astype(float).std() / white == pytest.approx(0.1, rel=0.05)


def test_noise_of_16_bits_is_clipped_at_its_white():
    image = np.random.default_rng(0).integers(0, 65536, (64, 64, 3), dtype=np.uint16)
    assert np.array_equal(apply(GaussianNoise(0), image), image)
    noisy = apply(GaussianNoise(0.4), image)
    assert noisy.min() == 0
    assert noisy.max() == 65535
    raw = apply(GaussianNoise(0.4, clip=False), image)
    assert np.array_equal(noisy, np.rint(raw).clip(0, 65535).astype(np.uint16))


def test_noise_does_not_guess_the_white_of_floats():
    image = random_image().astype(np.float32)
    assert np.array_equal(apply(GaussianNoise(0), image), image)
    for wrong in (image * 16, image - 300):
        with pytest.raises(ValueError, match='no white beyond 255 for float32'):
            apply(GaussianNoise(0), wrong)
        assert np.array_equal(apply(GaussianNoise(0, clip=False), wrong), wrong)


def test_the_colour_of_a_hole_has_the_bits_of_the_image():
    image = np.random.default_rng(0).integers(0, 65536, (40, 52, 3), dtype=np.uint16)
    hole = OcclusionHole(0.5, fill=(255, 51, 0))  # RGB
    hidden = apply(hole, image)
    assert hidden.dtype == np.uint16
    assert (hidden[10:30, 13:39] == [0, 13107, 65535]).all()
    in_float = apply(hole, image.astype(np.float32))
    assert (in_float[10:30, 13:39] == [0, 51, 255]).all()


@pytest.mark.parametrize('shape', [(40, 52), (40, 52, 1), (40, 52, 4)])
def test_holes_and_noise_keep_the_channels(shape):
    image = np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)
    hidden = apply(OcclusionHole(0.5), image)
    assert hidden.shape == shape
    assert (hidden[10:30, 13:39] == 0).all()
    assert np.array_equal(hidden[:10], image[:10])
    with pytest.raises(ValueError, match='fill has 3 values'):
        apply(OcclusionHole(0.5, fill=(1, 2, 3)), image)
    with pytest.raises(ValueError, match='std has 3 values'):
        apply(GaussianNoise(0.1, 'normalized', STD), image)


def test_jitter_refuses_what_is_not_8_bits():
    for image in (
        random_image().astype(np.uint16),
        random_image()[..., :1],
        random_image()[..., 0],
    ):
        with pytest.raises(ValueError, match='ColorJitter expects uint8 with 3'):
            apply(TRANSFORMS.build(dict(type='ColorJitter')), image)


def test_a_patch_of_noise_reaches_white_of_16_bits():
    image = np.zeros((60, 60, 3), np.uint16)
    patch = TRANSFORMS.build(dict(type='NoisePatch', area=(0.5, 0.5), aspect=(1, 1)))
    noise = apply(patch, image)
    assert noise.dtype == np.uint16
    assert noise.max() > 60000
    assert noise[noise > 0].mean() == pytest.approx(32768, rel=0.05)
