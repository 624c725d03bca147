"""Walking a nest of dicts and lists."""

from __future__ import annotations

from mmengine.config import ConfigDict

from mmmix.apis.configs.nests import dicts_in


def test_outer_dicts_come_first_with_their_places():
    nest = ConfigDict(a=[dict(b=1), (2, dict(c=dict()))], d=3)
    assert [(place, dict(found)) for place, found in dicts_in(nest, 'x')] == [
        ('x', dict(a=nest.a, d=3)),
        ('x.a.0', dict(b=1)),
        ('x.a.1.1', dict(c={})),
        ('x.a.1.1.c', {}),
    ]
    assert not list(dicts_in(None, 'x'))


def test_what_is_taken_out_of_a_dict_is_not_walked_through():
    nest = dict(a=dict(b=dict()), c=dict())
    places = []
    for place, found in dicts_in(nest, 'x'):
        found.pop('a', None)
        places.append(place)
    assert places == ['x', 'x.c']
