"""Moving averages of lists of tensors."""

from __future__ import annotations

import pytest
import torch

from mmmix.functional import copy_update, ema_update, group_pairs, relative_distance


def tensors(seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(3, 4), (5,), (), (2, 0, 3)]
    return [torch.randn(s, generator=generator).to(dtype) for s in shapes]


@pytest.mark.parametrize('momentum', [0.0, 0.0004, 0.3, 0.5, 0.9, 1.0])
def test_formula_in_place(momentum):
    averages, values = tensors(0), tensors(1)
    before, kept = [a.double() for a in averages], [v.clone() for v in values]
    addresses = [a.data_ptr() for a in averages]
    ema_update(averages, values, momentum)
    for average, old, value in zip(averages, before, kept):
        want = (1 - momentum) * old + momentum * value.double()
        torch.testing.assert_close(average.double(), want, rtol=2e-7, atol=1e-7)
    assert [a.data_ptr() for a in averages] == addresses
    assert all(torch.equal(v, k) for v, k in zip(values, kept))


def test_ends_of_the_range_are_exact():
    averages, values = tensors(0), tensors(1)
    ema_update(averages, values, 0.0)
    assert all(torch.equal(a, b) for a, b in zip(averages, tensors(0)))
    ema_update(averages, values, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(averages, values))
    # Equal tensors stay equal, as those of a frozen layer must.
    ema_update(averages, values, 0.3)
    assert all(torch.equal(a, b) for a, b in zip(averages, values))


def test_parameters_that_require_gradients():
    average = torch.nn.Parameter(torch.zeros(3))
    value = torch.nn.Parameter(torch.ones(3))
    ema_update([average], [value], 0.25)
    assert average.tolist() == [0.25] * 3
    assert average.is_leaf
    assert average.requires_grad


def test_empty_lists():
    ema_update([], [], 0.5)
    copy_update([], [])
    assert group_pairs([]) == []


def test_copies_keep_bits_and_dtypes():
    sources = [torch.tensor([0.1, float('nan'), -0.0]), torch.tensor(2**60 + 1)]
    targets = [torch.zeros(3), torch.tensor(0)]
    copy_update(targets, sources)
    assert targets[1].item() == 2**60 + 1
    assert torch.equal(targets[0].view(torch.int32), sources[0].view(torch.int32))


def test_groups_have_one_dtype_each_and_keep_the_pairs():
    floats, halves = tensors(0), tensors(0, torch.float16)
    targets = [floats[0], halves[0], floats[1], torch.tensor(3), halves[1]]
    sources = [t.clone() for t in targets]
    groups = group_pairs(zip(targets, sources))
    assert [[t.dtype for t in group] for group, _ in groups] == [
        [torch.float32] * 2,
        [torch.float16] * 2,
        [torch.int64],
    ]
    found = {id(t): id(s) for ts, ss in groups for t, s in zip(ts, ss)}
    assert found == {id(t): id(s) for t, s in zip(targets, sources)}


def test_relative_distance():
    # |(3, 0) - (0, 0)|, |(4,) - (0,)|: 5 over the values' norm, 2.
    averages = [torch.tensor([3.0, 2.0]), torch.tensor([4.0])]
    values = [torch.tensor([0.0, 2.0]), torch.tensor([0.0])]
    assert relative_distance(averages, values).item() == 2.5
    assert relative_distance(values, values).item() == 0.0
    assert relative_distance([torch.zeros(2)], [torch.zeros(2)]).item() == 0.0
