"""Class names against the data and each other."""

from __future__ import annotations

from collections import Counter

import pytest

from mmmix.apis.data_checks import Source, check_class_names
from mmmix.apis.data_checks.class_names import nearest
from mmmix.datasets.contents import Contents


def source(
    key='train', classes=('cat', 'dog'), names=None, categories=None, labelled=True
):
    """A data set that was watched, of which only the notes count."""
    names = dict(cat=8, dog=3) if names is None else names
    notes = Contents(f'{key}.txt', labelled, True, Counter(names), categories)
    return Source(key, None, classes, labelled, notes)


def refused(*sources, training=True):
    with pytest.raises(ValueError, match='--no-check') as caught:
        check_class_names(sources, training)
    return str(caught.value)


@pytest.mark.parametrize('training', [True, False])
def test_names_that_all_occur(training):
    sources = [source(), source('val'), source('u', names={}, labelled=False)]
    assert check_class_names(sources, training) == []
    assert check_class_names([], training) == []


def test_a_misspelt_name_is_named_with_the_nearest():
    text = refused(source(classes=('cat', 'Dog')), source('val'))
    assert "no annotation has the class 'Dog' (did you mean 'dog'?)" in text
    assert "What occurs: 'cat' (16), 'dog' (6); in train.txt, val.txt" in text


def test_a_name_that_is_only_declared_can_be_the_nearest():
    declared = source(names=dict(cat=1), categories=('Dog', 'cat'))
    assert "class 'dog' (did you mean 'Dog'?)" in refused(declared)


def test_a_name_that_occurs_in_one_set_only_is_a_warning():
    found = check_class_names([source(), source('val', names=dict(cat=1))], True)
    assert found == ["val (val.txt) has no object of the class 'dog'"]
    found = check_class_names([source('train', names=dict(cat=1)), source('val')], True)
    assert "train (train.txt) has no object of the class 'dog'" in found[0]


def test_another_spelling_in_one_set_is_a_warning():
    names = dict(cat=1, dog=2, Dog=5, cow=4)
    (text,) = check_class_names([source(names=names)], True)
    assert "5 objects called 'Dog' are dropped; did they mean 'dog'?" in text
    found = check_class_names([source(), source('val', names=dict(cat=1, Dog=5))], True)
    assert "the class 'dog' (did you mean 'Dog'?)" in found[0]


def test_classes_that_are_spelled_alike_are_told():
    classes, names = ('Cat', 'dog', 'cat'), dict(cat=1, Cat=1, dog=2)
    found = check_class_names([source(classes=classes, names=names)] * 2, True)
    assert found == [
        "'Cat' and 'cat' are 2 classes; if they are meant for one, give all its "
        'objects one name'
    ]


def test_a_subset_of_the_names_is_no_fault():
    names = dict(cat=8, dog=3, person=99, sofa=4)
    assert check_class_names([source(names=names)], True) == []


def test_a_name_that_a_file_declares_is_spelled_rightly():
    rare = source(names=dict(cat=8), categories=('cat', 'dog'))
    (text,) = check_class_names([rare], True)
    assert "no object of the class 'dog'" in text


def test_in_a_test_some_names_may_be_missing_but_not_all():
    (text,) = check_class_names([source('test', names=dict(cat=1))], False)
    assert "'dog'" in text
    text = refused(source('test', names=dict(Cat=1, Dog=5)), training=False)
    assert "what occurs: 'Dog' (5), 'Cat' (1)" in text
    assert check_class_names([source('test', names={})], False) == []


def test_data_sets_must_agree():
    text = refused(source(), source('val', classes=('dog', 'cat')))
    assert (
        "classes of train are 'cat', 'dog', and those of val are 'dog', 'cat'" in text
    )
    other = source('u', classes=('dog', 'cat'), labelled=False)
    assert check_class_names([source(), other], True) == []


def test_a_file_with_categories_in_another_order_swaps_classes():
    good = source('a', categories=('cow', 'cat', 'x', 'dog'))
    assert check_class_names([good], True) == []
    text = refused(good, source('b', categories=('dog', 'cow', 'cat')))
    assert 'b (b.txt): labels follow the order of the categories in the file' in text
    assert "'dog', 'cat', and the classes are 'cat', 'dog'" in text
    text = refused(source('b', categories=('dog', 'cat')), training=False)
    assert 'classes would be swapped' in text


def test_a_category_that_is_not_declared_shifts_the_others():
    part = source('val', names=dict(dog=3), categories=('dog', 'Cat'))
    text = refused(source(), part)
    assert "val (val.txt) has no category 'cat' (did you mean 'Cat'?)" in text


def test_data_sets_that_nobody_watched_are_compared_only():
    unknown = source()._replace(contents=None)
    assert check_class_names([unknown, source(names=dict(cat=1))], True)
    assert 'one label would mean two' in refused(
        unknown, source('val', classes=('dog',), names=dict(dog=1))
    )


@pytest.mark.parametrize(
    ('name', 'others', 'expected'),
    [
        ('Dog', ['cat', 'dog'], 'dog'),
        ('potted plant', ['pottedplant', 'potato'], 'pottedplant'),
        ('areoplane', ['aeroplane', 'car'], 'aeroplane'),
        ('dog ', ['dog'], 'dog'),
        ('zebra', ['cat', None, ''], None),
    ],
)
def test_nearest(name, others, expected):
    assert nearest(name, others) == expected
