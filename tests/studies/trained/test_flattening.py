"""Variance explained by the first direction (methods.md 7, number 40)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmix.studies.trained.flattening import (
    explained_variance,
    gram_matrix,
    images_by_label,
    main_label,
)


def by_covariance(rows: np.ndarray) -> float:
    """The same number from the d x d covariance matrix."""
    variances = np.linalg.eigvalsh(np.cov(rows, rowvar=False))
    return variances[-1] / variances.sum()


def test_data_of_rank_one_is_explained_wholly():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, 1)) * rng.normal(size=(1, 500)) + rng.normal(size=500)
    assert explained_variance(gram_matrix(rows)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(('count', 'width'), [(6, 50), (9, 4)])
def test_data_without_a_preferred_direction(count, width):
    # Corners of a simplex, or both ends of each axis: all variances are equal.
    wide = np.eye(count, width)
    rows = wide if count <= width else np.vstack([np.eye(width), -np.eye(width)])
    expected = 1 / min(len(rows) - 1, width)
    assert explained_variance(gram_matrix(rows)) == pytest.approx(expected, abs=1e-12)


def test_isotropic_noise():
    rows = np.random.default_rng(0).normal(size=(10, 40000))
    assert explained_variance(gram_matrix(rows)) == pytest.approx(1 / 9, rel=0.05)


@given(st.integers(0, 1000), st.integers(4, 12), st.integers(2, 30))
@settings(max_examples=60, deadline=None)
def test_gram_and_covariance_agree_on_any_choice_of_images(seed, count, width):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, width)) * rng.exponential(size=width) + 5
    gram = gram_matrix(rows.astype(np.float32), block=7)
    assert explained_variance(gram) == pytest.approx(by_covariance(rows), abs=1e-5)
    chosen = rng.permutation(count)[: max(3, count // 2)].tolist()
    expected = by_covariance(rows[chosen])
    assert explained_variance(gram, chosen) == pytest.approx(expected, abs=1e-5)


def test_no_variance_has_no_direction():
    gram = gram_matrix(np.vstack([np.full((3, 50), 0.1), np.eye(2, 50)]))
    assert math.isnan(explained_variance(gram, [0, 1, 2]))
    assert math.isnan(explained_variance(gram, [0, 4]))
    assert math.isnan(explained_variance(np.zeros((3, 3))))


def test_images_go_to_their_most_frequent_label():
    assert main_label([4, 1, 1]) == 1
    assert main_label([7, 2, 2, 7]) == 7
    assert main_label([]) is None
    groups = images_by_label([[3], [], [0, 3, 3], [0], [0, 1]])
    assert groups == {0: [3, 4], 3: [0, 2]}
    assert list(groups) == [0, 3]
