"""How much of a representation's variance one direction explains (BoxMix 4.4).

With n images and d numbers each, n is far below d, so the variances of the
principal components are taken from the n x n Gram matrix of the centred rows: its
eigenvalues that are not 0 are those of the d x d scatter matrix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]


def gram_matrix(rows: Matrix, block: int = 4096) -> NDArray[np.float64]:
    """Inner products of all pairs of rows, after their common mean is taken off.

    Args:
        rows: ``(n, d)``, for example a memory map; read ``block`` columns at a time.
        block: Columns held in memory, as float64.

    Returns:
        ``(n, n)``.
    """
    gram = np.zeros((len(rows), len(rows)))
    for start in range(0, rows.shape[1], block):
        part = rows[:, start : start + block].astype(np.float64)
        part -= part.mean(axis=0)
        gram += part @ part.T
    return gram


def explained_variance(
    gram: NDArray[np.float64], images: Sequence[int] | None = None
) -> float:
    """Share of the variance that the first principal component explains.

    Args:
        gram: ``(n, n)`` inner products of rows, see :func:`gram_matrix`. Whatever
            mean was taken off before, here it is that of the chosen rows.
        images: The rows that count, by index; None means all.

    Returns:
        In (0, 1]; NaN if all rows are equal, or for fewer than three rows, of which
        one direction always explains everything.
    """
    if images is not None:
        gram = gram[np.ix_(images, images)]
    if len(gram) < 3:
        return float('nan')
    means = gram.mean(axis=0)
    centred = gram - means[None] - means[:, None] + means.mean()
    variances = np.linalg.eigvalsh(centred).clip(min=0)
    # What rounding leaves of equal rows is no variance.
    if variances.sum() <= 1e-12 * max(np.trace(gram), 1e-300):
        return float('nan')
    return float(variances[-1] / variances.sum())


def main_label(labels: Sequence[int]) -> int | None:
    """The most frequent label of an image; the first of those that tie.

    Returns:
        None for an image without objects.
    """
    return Counter(labels).most_common(1)[0][0] if len(labels) else None


def images_by_label(labels: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """Indices of the images of each main label, by increasing label.

    Args:
        labels: Of each image, the labels of its objects.
    """
    groups: dict[int, list[int]] = {}
    for index, of_image in enumerate(labels):
        label = main_label(of_image)
        if label is not None:
            groups.setdefault(label, []).append(index)
    return dict(sorted(groups.items()))
