"""What `mmmix init` says of the classes of the splits."""

from __future__ import annotations

from mmmix.apis.own_data.find import find_layout
from mmmix.apis.own_data.warnings import warnings_on

from .folders import stem_of, voc_xml, write_voc


def said(root, names):
    """The warnings, with the names of some images in place of theirs."""
    data = write_voc(root, lists=True)
    lists = data / 'ImageSets/Main'
    (lists / 'test.txt').write_text('\n'.join(stem_of(n) for n in (8, 9)))
    (lists / 'val.txt').write_text('\n'.join(stem_of(n) for n in (10, 11)))
    for number, name in names.items():
        (data / f'Annotations/{stem_of(number)}.xml').write_text(voc_xml(name))
    layout = find_layout(data)
    return warnings_on(layout, layout.classes(layout.splits['train']))


def test_classes_that_are_spelled_alike_are_told(tmp_path):
    assert not [text for text in said(tmp_path / 'a', {}) if 'meant for one' in text]
    for number, first in ((1, 'Cat'), (8, 'cat'), (10, 'cat')):
        texts = said(tmp_path / str(number), {number: 'Cat'})
        second = 'cat' if first == 'Cat' else 'Cat'
        expected = f"'{first}' and '{second}' are 2 classes; if they are meant for one"
        assert len([text for text in texts if text.startswith(expected)]) == 1


def test_classes_of_the_test_that_are_not_trained_on_are_told(tmp_path):
    texts = said(tmp_path, {8: 'bird', 10: 'cow'})
    of_test = [text for text in texts if 'in the test images and never' in text]
    of_val = [text for text in texts if 'in the validation images and never' in text]
    assert 'training images: bird; they are no classes' in of_test[0]
    assert 'training images: cow; they are no classes' in of_val[0]
    assert [len(of_test), len(of_val)] == [1, 1]
