"""The splits of handwriting and photographs."""

from __future__ import annotations

import difflib
import itertools
import sys
import xml.etree.ElementTree as ET

import pytest

from mmmix.testing.digits import CLASSES, DOMAINS, SPLITS, DigitsSettings
from mmmix.testing.digits.scene import make_scene
from mmmix.testing.digits.sources import _digits, samples_of
from mmmix.testing.digits.voc import image_id


def test_splits_divide_the_source_digits():
    from sklearn.datasets import load_digits

    target = load_digits().target
    seen = []
    for split, label in itertools.product(SPLITS, range(10)):
        samples = samples_of(split, label)
        assert len(samples) >= 20
        assert (target[samples] == label).all()
        seen.extend(samples)
    assert sorted(seen) == list(range(len(target)))


def test_splits_end_where_a_form_ends():
    """Every form holds the same sequence of digits, but for a few left out."""
    from sklearn.datasets import load_digits

    text = ''.join(map(str, load_digits().target))
    ends = [
        max(samples_of(split, label)[-1] for label in range(10)) for split in SPLITS
    ]
    assert ends[-1] == len(text) - 1
    for end in ends[:-1]:
        similar = difflib.SequenceMatcher(
            None, text[:130], text[end + 1 : end + 131], autojunk=False
        )
        assert similar.ratio() > 0.95


@pytest.mark.parametrize('domain', DOMAINS)
def test_no_split_shares_a_photograph_region(domain, scenes):
    crops = {split: [] for split in SPLITS}
    for split in SPLITS:
        for scene in scenes[domain, split]:
            name, *box = scene.origin.split()
            if name.endswith('.jpg'):
                crops[split].append(tuple(map(int, box)))
        assert len(crops[split]) >= 5
    for one, other in itertools.combinations(SPLITS, 2):
        for a, b in itertools.product(crops[one], crops[other]):
            assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_written_annotations_tell_their_sources(written, counts):
    for split, count in counts.items():
        for index in range(count):
            root = ET.parse(written / f'Annotations/{image_id(split, index)}.xml')
            for element in root.iterfind('object'):
                label = CLASSES.index(element.findtext('name'))
                assert int(element.findtext('sample')) in samples_of(split, label)
            scene = make_scene(DigitsSettings(), split, index)
            assert root.findtext('source/image') == scene.origin


def test_missing_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sklearn', None)
    samples_of.cache_clear()
    _digits.cache_clear()
    with pytest.raises(ImportError, match='pip install scikit-learn pillow'):
        samples_of('train', 0)
