"""Counts of operations and reads, on toys whose counts are known."""

from __future__ import annotations

import json
import runpy

import pytest
import torch
from torch import nn

from mmmix.studies.speed.operation_counter import OperationCounter
from mmmix.studies.speed.step_counts import (
    LOSS,
    MIXER,
    count_steps,
    ratio,
    watch_sections,
)

TOOL = 'mmmix.commands.count_ops'


def counted(function, *args):
    """Operations, and the kinds of reads and uploads, of a function."""
    with OperationCounter() as counter:
        function(*args)
    kinds = [
        sorted(place.kind for place in table.elements())
        for table in (counter.reads, counter.uploads)
    ]
    return counter.operations.total(), *kinds


VALUES = torch.arange(6.0)


@pytest.mark.parametrize(
    ('function', 'operations', 'reads'),
    [
        (lambda t: t + t * 2, 2, []),
        # Views and allocations launch nothing; writing into them does.
        (lambda t: t.view(2, 3).t()[0].unsqueeze(0).expand(4, -1), 0, []),
        (lambda t: torch.empty(3), 0, []),
        (lambda t: torch.zeros(3), 1, []),
        (lambda t: t.clone().add_(1), 2, []),
        (lambda t: t.sum().item(), 2, ['value']),
        (lambda t: bool((t > 2).any()), 3, ['value']),
        (lambda t: float(t[0]), 1, ['value']),
        (lambda t: t.tolist(), 0, ['tolist']),
        (lambda t: t.numpy(), 0, ['numpy']),
        (lambda t: t.cpu(), 0, ['cpu']),
        (lambda t: t.to('cpu'), 0, ['cpu']),
        (lambda t: t.to(t.device), 0, []),
        (lambda t: (t > 2).nonzero(), 2, ['nonzero']),
        (lambda t: t[t > 2], 2, ['mask as index']),
        (lambda t: t[torch.tensor([1, 2])], 1, []),
        (lambda t: torch.where(t > 2, t, 0), None, []),
        (lambda t: t.masked_fill(t > 2, 0.0), None, []),
        (lambda t: t.unique(), 1, ['unique']),
        (lambda t: torch.equal(t, t), 1, ['equal']),
    ],
)
def test_single_lines(function, operations, reads):
    got, kinds, uploads = counted(function, VALUES)
    assert kinds == reads
    assert not uploads
    if operations is not None:
        assert got == operations


def test_uploads_are_those_of_numbers():
    def make(t):
        t.new_tensor([1.0, 2.0])
        torch.tensor([1.0], device='cpu')
        torch.as_tensor([1.0], device='cpu')
        torch.as_tensor(t, device='cpu')  # has been there before

    assert counted(make, VALUES)[1:] == ([], ['upload'] * 3)


def test_places_name_the_line_outside_torch():
    def read():
        return VALUES.sum().item() + VALUES.max().item()

    with OperationCounter() as counter:
        read()
        read()
    ((place, count),) = counter.reads.items()
    line = read.__code__.co_firstlineno + 1
    assert place.line == f'test_count_ops.py:{line}'
    assert (place.kind, place.via, count) == ('value', '', 4)


def test_what_is_not_inside_is_not_counted():
    counter = OperationCounter()
    VALUES.sum().item()
    with counter:
        VALUES.sum()
    VALUES.sum().item()
    assert counter.operations.total() == 1
    assert not counter.reads


class Mixer(nn.Module):
    """Two operations and a read."""

    def forward(self, images):
        return images * images.amax().item()


class Preprocessor(nn.Module):
    """An operation of its own, then the mixer."""

    def __init__(self):
        super().__init__()
        self.batch_augments = nn.ModuleList([Mixer()])

    def forward(self, images):
        return self.batch_augments[0](images + 1)


class Head(nn.Module):
    """A layer of two operations; the loss has three and two reads."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, images):
        return images * self.weight * 2

    def loss(self, images):
        values = self(images)
        return (values**2).sum() / max(int((values > 0).sum()), len(images.nonzero()))


class Toy(nn.Module):
    """A step by the names that detectors have."""

    def __init__(self):
        super().__init__()
        self.data_preprocessor, self.bbox_head = Preprocessor(), Head()

    def train_step(self, data, optim_wrapper):
        loss = self.bbox_head.loss(self.data_preprocessor(data))
        optim_wrapper.update_params(loss)
        return {'loss': loss}


class Optimizer:
    """Backward, and an in-place step."""

    def __init__(self, model):
        self.parameters = list(model.parameters())

    def update_params(self, loss):
        loss.backward()
        with torch.no_grad():
            self.parameters[0].sub_(self.parameters[0].grad)
        self.parameters[0].grad = None


class Step:
    """What ``count_steps`` needs of a ``TrainingStep``."""

    def __init__(self):
        self.model = Toy()
        self.optim_wrapper = Optimizer(self.model)

    def train(self, batch, index):
        return self.model.train_step(batch, self.optim_wrapper)


def test_the_parts_of_a_step():
    counts = count_steps(Step(), lambda index: torch.ones(4), steps=3, warmups=1)
    assert counts.total('operations', 'preprocessing') == 1
    # amax, the read itself, and the product
    assert counts.total('operations', MIXER) == 3
    assert counts.total('operations', 'network') == 2
    # the square, two sums, a comparison, a read, nonzero, the quotient
    assert counts.total('operations', LOSS) == 7
    assert counts.total('operations', 'update') > 3
    assert {name: counts.reads.get(name, 0) for name in (MIXER, LOSS, 'update')} == {
        MIXER: 1,
        LOSS: 2,
        'update': 0,
    }
    assert counts.total('reads') == 3
    assert counts.total('operations') == sum(counts.operations.values())
    assert sorted((place.kind, place.section) for place, _ in counts.places) == [
        ('nonzero', LOSS),
        ('value', LOSS),
        ('value', MIXER),
    ]
    assert [count for _, count in counts.places] == [1, 1, 1]
    assert ratio(counts, counts, (LOSS, MIXER)) == 1
    with pytest.raises(ValueError, match='steps >= 1'):
        count_steps(Step(), lambda index: torch.ones(4), steps=0)


def test_an_error_leaves_its_section():
    model = Toy()
    counter = OperationCounter()
    watch_sections(counter, model, Optimizer(model))
    with pytest.raises(TypeError), counter:
        model.data_preprocessor('no images')
    with counter:
        VALUES.sum()
    assert counter.operations[''] == 1


def test_the_tool_counts_configs(tmp_path, capsys):
    """A plain and a mixing config, on the same batches."""
    main = runpy.run_module(TOOL)['main']
    configs = [f'mmmix::demo/ssd_digits{name}.py' for name in ('', '_union')]
    out = tmp_path / 'counts.json'
    sizes = ['--batch-size', '2', '--steps', '1', '--warmups', '1', '--places', '3']
    results = main([*configs, *sizes, '--out', str(out)])
    plain, union = (results[name] for name in configs)
    assert plain.total('operations', MIXER) == plain.total('reads', MIXER) == 0
    assert union.total('operations', MIXER) > 0
    assert plain.total('operations', 'network') == union.total('operations', 'network')
    assert 0 < plain.total('operations', LOSS) < plain.total('operations')
    # the targets of our head wait for nothing
    assert plain.total('reads', LOSS) == union.total('reads', LOSS) == 0
    assert all(place.line for place, _ in union.places)
    printed = capsys.readouterr().out
    assert printed.count('lines that read') == 2
    saved = json.loads(out.read_text())
    assert saved[configs[1]]['operations'] == union.operations
    assert saved[configs[0]]['places'][0]['count'] == plain.places[0][1]
