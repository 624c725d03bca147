"""Boxes, sizes, visibility and domains."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from mmmix.testing.digits import DOMAINS, SPLITS, DigitsSettings
from mmmix.testing.digits import scene as scene_module
from mmmix.testing.digits.colors import MIN_CONTRAST, luma, random_color
from mmmix.testing.digits.glyphs import draw_glyph, draw_outline, visible
from mmmix.testing.digits.scene import Glyph, make_scene, paint_glyph
from mmmix.testing.digits.sources import handwriting


def test_box_is_the_tight_box_of_pixels_covered_by_half():
    alpha = np.zeros((6, 8), dtype=np.float32)
    alpha[1:5, 2:6] = 0.49
    alpha[2, 3], alpha[3, 5] = 0.5, 1.0
    assert Glyph(0, 0, alpha, corner=(10, 20)).box == (13, 22, 15, 23)


@pytest.mark.parametrize('size', [24, 41, 72])
@pytest.mark.parametrize('sample', range(10))
def test_glyph_has_the_size_asked_for(size, sample):
    alpha = draw_glyph(handwriting(sample), size, np.random.default_rng(sample))
    x_min, y_min, x_max, y_max = Glyph(0, sample, alpha).box
    assert max(x_max - x_min, y_max - y_min) + 1 == pytest.approx(size, abs=1)
    assert alpha.min() == 0
    assert alpha.max() == 1


@pytest.mark.parametrize('sample', range(10))
def test_outline_is_the_rim_of_the_glyph(sample):
    size, blur = 72, 0.8
    rngs = [np.random.default_rng(sample) for _ in range(2)]
    solid = draw_glyph(handwriting(sample), size, rngs[0], blur)
    outline = draw_outline(handwriting(sample), size, rngs[1], blur)
    ink = visible(solid).astype(np.uint8)
    near, far = (
        cv2.erode(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        for side in (3, 15)
    )
    rim, core = (ink == 1) & (near == 0), far == 1
    assert core.any()
    assert np.all(outline[core] == 0)
    np.testing.assert_array_equal(outline[rim], solid[rim])
    np.testing.assert_array_equal(outline[ink == 0], solid[ink == 0])


@pytest.mark.parametrize('domain', DOMAINS)
def test_boxes_hold_all_ink_and_touch_it_on_every_side(domain, monkeypatch):
    black = np.zeros((160, 160, 3), dtype=np.float32)
    white = np.full(3, 255, dtype=np.float32)
    monkeypatch.setattr(scene_module, 'make_background', lambda *_: (black, 'black'))
    monkeypatch.setattr(scene_module, 'stroke_paint', lambda *_: white)
    for index in range(10):
        scene = make_scene(DigitsSettings(domain), 'train', index)
        # Half covered is 127.5; the noise has a deviation of at most 4.
        image = scene.image.astype(float).mean(axis=2)
        outside = image.copy()
        for glyph in scene.glyphs:
            x_min, y_min, x_max, y_max = glyph.box
            inside = image[y_min : y_max + 1, x_min : x_max + 1]
            for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
                assert side.max() > 115
            outside[y_min : y_max + 1, x_min : x_max + 1] = 0
        assert outside.max() < 140


def test_scenes_keep_to_their_ranges(scenes):
    numbers, sizes = [], []
    for scene in itertools.chain(*scenes.values()):
        assert scene.image.shape == (160, 160, 3)
        assert scene.image.dtype == np.uint8
        numbers.append(len(scene.glyphs))
        ink = np.zeros((160, 160), dtype=int)
        for glyph in scene.glyphs:
            x_min, y_min, x_max, y_max = glyph.box
            assert min(x_min, y_min) >= 0
            assert max(x_max, y_max) < 160
            sizes.append(max(x_max - x_min, y_max - y_min) + 1)
            ink[glyph.window] += visible(glyph.alpha)
        assert ink.max() <= 1
        for a, b in itertools.combinations([glyph.box for glyph in scene.glyphs], 2):
            assert iou(a, b) < 0.1
    assert set(numbers) == {1, 2, 3, 4}
    assert 24 <= min(sizes) < 30
    assert 66 < max(sizes) <= 72


def iou(a, b):
    """IoU of two boxes by counting pixels."""
    masks = np.zeros((2, 160, 160), dtype=bool)
    for mask, (x_min, y_min, x_max, y_max) in zip(masks, (a, b), strict=True):
        mask[y_min : y_max + 1, x_min : x_max + 1] = True
    return (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()


def test_strokes_stand_out_from_their_background(scenes):
    for scene in itertools.chain(*scenes.values()):
        level = luma(scene.image.astype(np.float32))
        for glyph in scene.glyphs:
            patch = level[glyph.window]
            stroke = np.median(patch[glyph.alpha > 0.9])
            background = np.median(patch[glyph.alpha < 0.05])
            assert abs(stroke - background) > 0.75 * MIN_CONTRAST


@pytest.mark.parametrize('level', [0, 40, 127.5, 230, 255])
def test_random_color_has_the_luma_asked_for(level):
    rng = np.random.default_rng(0)
    for _ in range(20):
        color = random_color(level, rng)
        assert color.min() >= -0.01
        assert color.max() <= 255.01
        np.testing.assert_allclose(luma(color), level, atol=0.05)


def test_painting_blends_by_alpha():
    image = np.full((160, 160, 3), 100, dtype=np.float32)
    glyph = Glyph(0, 0, np.array([[0, 0.5, 1]], dtype=np.float32), corner=(4, 9))
    paint_glyph(image, glyph, np.array([200, 0, 100]))
    assert image[9, 4:7].tolist() == [[100, 100, 100], [150, 50, 100], [200, 0, 100]]
    image[9, 4:7] = 100
    assert (image == 100).all()


def test_domains_differ_in_background_stroke_and_sharpness(scenes):
    origins = {
        domain: {
            scene.origin.split()[0]
            for split in SPLITS
            for scene in scenes[domain, split]
        }
        for domain in DOMAINS
    }
    assert origins['source'] == {'china.jpg', 'gradient', 'clouds', 'stripes'}
    assert origins['target'] == {'flower.jpg', 'checks', 'dots', 'rings'}
    # A source stroke is of one colour, apart from the noise; a target stroke is not.
    spread = {domain: np.median(stroke_spreads(scenes, domain)) for domain in DOMAINS}
    assert spread['source'] < 5
    assert spread['target'] > 2 * spread['source']
    edges = {domain: np.median(edge_widths(scenes, domain)) for domain in DOMAINS}
    assert edges['target'] > 1.2 * edges['source']


def stroke_spreads(scenes, domain):
    """Standard deviation of the colour within each stroke."""
    return [
        scene.image[glyph.window][glyph.alpha > 0.9 * glyph.alpha.max()]
        .std(axis=0)
        .mean()
        for split in SPLITS
        for scene in scenes[domain, split]
        for glyph in scene.glyphs
    ]


def edge_widths(scenes, domain):
    """Pixels of soft edge per pixel of outline, for each glyph."""
    widths = []
    for split in SPLITS:
        for scene in scenes[domain, split]:
            for glyph in scene.glyphs:
                ink = visible(glyph.alpha).astype(np.uint8)
                outline = ink - cv2.erode(ink, np.ones((3, 3), np.uint8))
                soft = (glyph.alpha > 0.05) & (glyph.alpha < 0.95)
                widths.append(soft.sum() / outline.sum())
    return widths
