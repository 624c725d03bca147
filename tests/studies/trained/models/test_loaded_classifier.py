"""What of a classifier can be tested without mmpretrain."""

from __future__ import annotations

import pytest

from mmmix.studies.trained.models.loaded_classifier import LoadedClassifier


def test_an_image_that_the_loader_skips_is_named():
    """As of a detector; with ``ignore_empty`` a loader returns None."""
    classifier = object.__new__(LoadedClassifier)
    classifier._load = lambda results: None
    with pytest.raises(ValueError, match='a.jpg cannot be read; get the file again'):
        classifier.read_image({'img_path': 'a.jpg'})
