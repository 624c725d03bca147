"""Operations and reads of one training step of a config, by its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from torch import nn

from mmmix.studies.speed.operation_counter import OperationCounter, Place
from mmmix.studies.speed.training_step import Fetch, TrainingStep

LOSS, MIXER = 'loss', 'mixer'
SECTIONS = ('preprocessing', MIXER, 'network', LOSS, 'update')
"""Parts of a step. ``loss`` is all that happens between the network's layers: target
assignment, sampling, proposals and losses; ``update`` is backward and optimizer."""

_NETWORK = ('backbone', 'neck', 'encoder', 'decoder', 'shared_head')
_NETWORK_ENDINGS = ('_head', '_roi_extractor')
_HEAD_CONTAINERS = ('roi_head',)


class StepCounts(NamedTuple):
    """What a config's step does, the mean over steps.

    Attributes:
        operations: By section.
        reads: By section.
        uploads: By section.
        places: Reads of one step by place, most frequent first.
    """

    operations: dict[str, float]
    reads: dict[str, float]
    uploads: dict[str, float]
    places: list[tuple[Place, float]]

    def total(self, what: str, *sections: str) -> float:
        """Sum of ``'operations'``, ``'reads'`` or ``'uploads'``.

        Args:
            what: Which.
            sections: Of which sections; of the whole step if none is given.
        """
        counts = getattr(self, what)
        return sum(counts.get(section, 0) for section in sections or SECTIONS)


def count_steps(
    step: TrainingStep, fetch: Fetch, steps: int, warmups: int = 2
) -> StepCounts:
    """Train some steps, and count in the last ones.

    Args:
        step: The config's model and optimizer.
        fetch: Gives the raw batch of a step.
        steps: How many to count.
        warmups: How many before, in which caches fill.

    Raises:
        ValueError: If a number is out of range.
    """
    if steps < 1 or warmups < 0:
        raise ValueError(f'expected steps >= 1 and warmups >= 0: {steps}, {warmups}')
    counter = OperationCounter()
    watch_sections(counter, step.model, step.optim_wrapper)
    for index in range(warmups):
        step.train(fetch(index), index)
    for index in range(warmups, warmups + steps):
        batch = fetch(index)
        with counter:
            step.train(batch, index)
    return summary(counter, steps)


def summary(counter: OperationCounter, steps: int) -> StepCounts:
    """Counts of several steps as means; what is in no section is of the loss."""

    def by_section(counts: Counter) -> dict[str, float]:
        sums: Counter[str] = Counter()
        for key, count in counts.items():
            section = key.section if isinstance(key, Place) else key
            sums[section or LOSS] += count
        return {name: count / steps for name, count in sums.items()}

    places = [
        (place._replace(section=place.section or LOSS), count / steps)
        for place, count in counter.reads.most_common()
    ]
    tables = (counter.operations, counter.reads, counter.uploads)
    return StepCounts(*map(by_section, tables), places)


def watch_sections(
    counter: OperationCounter, model: nn.Module, optim_wrapper: Any
) -> None:
    """Tell a counter which part of a step its calls belong to."""
    counter.watch(model.data_preprocessor, 'preprocessing')
    for mixer in _mixers(model):
        counter.watch(mixer, MIXER)
    for name, module in model.named_modules():
        if _is_network(name.rpartition('.')[2]):
            counter.watch(module, 'network')
    update = optim_wrapper.update_params

    def counted(*args: Any, **kwargs: Any) -> Any:
        counter.enter('update')
        try:
            return update(*args, **kwargs)
        finally:
            counter.leave()

    optim_wrapper.update_params = counted


def _mixers(model: nn.Module) -> Iterator[nn.Module]:
    """What mixes: the preprocessor's augments, and mixers of detectors."""
    for owner in model.modules():
        for name in ('batch_augments', 'mixer', 'mixers'):
            found = getattr(owner, name, None)
            if isinstance(found, (nn.ModuleList, nn.ModuleDict)):
                yield from found.children()
            elif isinstance(found, nn.Module):
                yield found


def _is_network(name: str) -> bool:
    if name in _HEAD_CONTAINERS:
        return False
    return name in _NETWORK or name.endswith(_NETWORK_ENDINGS)


def ratio(counts: StepCounts, reference: StepCounts, sections: Sequence[str]) -> float:
    """Operations in relation to a reference's, of the same sections."""
    base = reference.total('operations', *sections)
    return counts.total('operations', *sections) / base if base else float('nan')
