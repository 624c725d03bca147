"""Images that are decoded once."""

from __future__ import annotations

import copy
import logging

import cv2
import numpy as np
import pytest

from mmmix.datasets.transforms import CheckedLoadImageFromFile, LoadImageOnce


@pytest.fixture
def samples(tmp_path):
    """Three samples of different images, 40 x 30 pixels (3,600 bytes) each."""
    found = []
    for number in range(3):
        path = tmp_path / f'{number}.png'
        rng = np.random.default_rng(number)
        cv2.imwrite(str(path), rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        found.append(dict(img_path=str(path), img_id=number, width=40, height=30))
    return found


def test_the_second_time_gives_what_the_first_gave(samples):
    once, stock = LoadImageOnce(), CheckedLoadImageFromFile()
    for _ in range(2):
        for sample in samples:
            expected = stock(copy.deepcopy(sample))
            found = once(copy.deepcopy(sample))
            assert found.keys() == expected.keys()
            assert np.array_equal(found.pop('img'), expected.pop('img'))
            assert found == expected


def test_the_file_is_read_once(samples, monkeypatch):
    once = LoadImageOnce()
    first = once(dict(samples[0]))['img'].copy()
    cv2.imwrite(samples[0]['img_path'], np.zeros((30, 40, 3), np.uint8))
    assert np.array_equal(once(dict(samples[0]))['img'], first)


def test_writing_into_an_image_changes_no_later_one(samples):
    once = LoadImageOnce()
    first = once(dict(samples[0]))['img']
    expected = first.copy()
    for _ in range(2):
        first[:] = 7
        first = once(dict(samples[0]))['img']
        assert np.array_equal(first, expected)


def test_what_does_not_fit_is_decoded_each_time_and_said_once(samples, caplog):
    once = LoadImageOnce(max_megabytes=0)
    with caplog.at_level(logging.WARNING):
        for sample in samples:
            once(dict(sample))
    told = [r for r in caplog.records if 'max_megabytes=0' in r.getMessage()]
    assert len(told) <= 1
    cv2.imwrite(samples[0]['img_path'], np.zeros((30, 40, 3), np.uint8))
    assert not once(dict(samples[0]))['img'].any()


def test_a_bad_image_is_not_remembered(tmp_path):
    path = tmp_path / 'late.png'
    sample = dict(img_path=str(path), img_id=0)
    once = LoadImageOnce(ignore_empty=True)
    assert once(dict(sample)) is None
    cv2.imwrite(str(path), np.full((4, 5, 3), 9, np.uint8))
    assert (once(dict(sample))['img'] == 9).all()


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match='max_megabytes: expected >= 0, got -1'):
        LoadImageOnce(max_megabytes=-1)
