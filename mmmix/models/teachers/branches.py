"""The branches of a semi-supervised batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmdet.models.data_preprocessors import MultiBranchDataPreprocessor
from mmdet.structures import DetDataSample
from torch import Tensor, nn

from mmmix.models.batch_augments import BatchMixer

Batch = tuple[Tensor, Sequence[DetDataSample]]
"""Images ``(N, C, H, W)`` and their N samples."""

Watcher = Callable[[str, Batch], None]
"""Is shown batches by name."""


def branch(batch: tuple[Mapping, Mapping], name: str) -> Batch:
    """Inputs and samples of a branch.

    Raises:
        KeyError: If the batch has no such branch.
    """
    inputs, samples = batch
    if name not in inputs or name not in samples:
        raise KeyError(
            f'the batch has no branch {name!r}, only {sorted(inputs)}; MixTeacher '
            'needs MultiBranch in the pipelines, with the branches sup, unsup_teacher '
            'and unsup_student, and MultiBranchDataPreprocessor'
        )
    return inputs[name], samples[name]


def check_branches(data: Any, preprocessor: nn.Module) -> None:
    """Refuse a batch of a loader that mmdet's preprocessor of branches fails on.

    Args:
        data: The batch; None if the caller has none.
        preprocessor: Of the model; none other than mmdet's is thought of.

    Raises:
        ValueError: If there are no branches, or one has no image.
    """
    if data is None or type(preprocessor) is not MultiBranchDataPreprocessor:
        return
    inputs = data.get('inputs') if isinstance(data, Mapping) else data
    if not isinstance(inputs, Mapping):
        raise ValueError(
            'the training data have no branches, which MultiBranchDataPreprocessor '
            'needs: end their pipelines with MultiBranch(branch_field=[...], sup=..., '
            'unsup_teacher=..., unsup_student=...)'
        )
    empty = [n for n, part in inputs.items() if all(item is None for item in part)]
    if empty:
        raise ValueError(
            f'a batch has no image of the branches {empty}: let MixSourceSampler put '
            'images of every source into each batch, or take OptionalBranch'
            'DataPreprocessor where they are not needed, as in a burn-in'
        )


def plain_preprocessor(preprocessor: nn.Module) -> nn.Module:
    """The preprocessor that normalises images, within one for several branches."""
    return getattr(preprocessor, 'data_preprocessor', preprocessor)


def mixed_pair(
    mixer: BatchMixer, one: Batch, other: Batch, preprocessor: nn.Module
) -> Batch:
    """Two batches mixed, padded as their preprocessor pads.

    Args:
        mixer: The mixer of the term.
        one: Component 0, gone through again if it is the shorter one.
        other: Component 1, likewise.
        preprocessor: Of the branches, or of one of them.
    """
    size = max(len(one[1]), len(other[1]))
    pad_value = getattr(plain_preprocessor(preprocessor), 'pad_value', 0.0)
    return mixer.mix_pair(
        *cycled(one, size), *cycled(other, size), pad_value=float(pad_value)
    )


def cycled(batch: Batch, size: int) -> Batch:
    """The batch, gone through again until it has ``size`` images."""
    inputs, samples = batch
    if len(samples) == size:
        return batch
    indices = [i % len(samples) for i in range(size)]
    return inputs[indices], [samples[i] for i in indices]
