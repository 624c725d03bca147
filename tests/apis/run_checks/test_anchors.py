"""Anchors of a built model, by the key of the config that they come from."""

from __future__ import annotations

import numpy as np

from mmmix.apis.run_checks.anchors import anchors_of
from mmmix.models import MixTeacher
from tests.models.teachers import semi


def test_anchors_of_a_teacher_are_those_of_its_detector():
    plain = MixTeacher(
        detector=semi.detector('SSD'),
        data_preprocessor=dict(
            type='MultiBranchDataPreprocessor',
            data_preprocessor=dict(type='DetDataPreprocessor'),
        ),
    )
    ((key, shapes, least),) = anchors_of(plain)
    ((alone, expected, threshold),) = anchors_of(plain.student)
    assert (key, least) == (f'detector.{alone}', threshold)
    np.testing.assert_array_equal(shapes, expected)
    assert alone == 'bbox_head'
