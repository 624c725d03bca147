"""Figures of names that matplotlib takes for formulas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmmix.studies.trained.results.figures import bars, grid, save
from mmmix.studies.trained.side_by_side import Column, Row, draw


@pytest.mark.parametrize('name', [r'a$\x_$b', 'price $1_$2', '$'])
def test_names_are_shown_letter_by_letter(tmp_path, name):
    figure, ((panel,),) = grid(1, 1, 3, 3)
    bars(panel, np.ones((2, 1)), np.zeros((2, 1)), [name, 'b'], [name])
    panel.set(title=name, xlabel=name, ylabel=name)
    save(figure, tmp_path / 'bars.png')
    assert [text.get_text() for text in panel.get_xticklabels()] == [name]
    box = Column(np.array([[1, 1, 8, 8]]), np.array([0]), None, np.array([True]))
    row = Row(np.full((9, 9, 3), 90, np.uint8), name, [box])
    save(draw([row], [name], [name]), tmp_path / 'rows.png')
    for file in ('bars.png', 'rows.png'):
        assert cv2.imread(str(tmp_path / file)).std() > 5
