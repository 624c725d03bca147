"""What the terms of a mixed-domain teacher see of source and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from .branches import Batch, branch
from .feature_tap import FeatureTap
from .pseudo_labels import annotated

Batches = tuple[Mapping[str, Tensor], Mapping[str, Sequence[DetDataSample]]]
"""Inputs and samples by branch."""

# Branches of source and target: as the student learns from them, or unmixed and weak.
_STUDENT_VIEWS = ('sup', 'unsup_student')
_WEAK_VIEWS = ('sup_weak', 'unsup_teacher')


def without_labels(batch: Batch) -> Batch:
    """The batch, with samples that say nothing of its images but their geometry."""
    inputs, samples = batch
    nothing = InstanceData(
        bboxes=inputs.new_zeros((0, 4)), labels=inputs.new_zeros((0,)).long()
    )
    return inputs, [annotated(sample, nothing) for sample in samples]


def both_views(batches: Batches) -> Batch:
    """Strong and weak view of the source in one batch of twice as many images.

    Raises:
        KeyError: If there is no weak view.
        ValueError: If the views are of different canvases.
    """
    strong, weak = (branch(batches, view) for view in ('sup', 'sup_weak'))
    sizes = [tuple(inputs.shape[2:]) for inputs, _ in (strong, weak)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            'semi_train_cfg.weak_source=True needs views of the source on one canvas, '
            f'got {sizes[0]} (sup) and {sizes[1]} (sup_weak); put what changes the '
            'size before MultiBranch'
        )
    return torch.cat([strong[0], weak[0]]), [*strong[1], *weak[1]]


def domain_maps(
    tap: FeatureTap,
    student: nn.Module,
    batches: Batches,
    seen: tuple[Sequence[Tensor], Sequence[Tensor]],
) -> list[Tensor]:
    """Features of the source and of the target.

    Args:
        tap: Where they come out.
        student: The detector to compute them.
        batches: All branches. If there is ``sup_weak``, features of the weak,
            unmixed views are computed.
        seen: Features of source and target that were computed for other terms.
            They are taken otherwise; what lacks is computed.

    Returns:
        Two maps ``(N, C, H, W)``.
    """
    views = _STUDENT_VIEWS
    if _WEAK_VIEWS[0] in batches[0]:
        views, seen = _WEAK_VIEWS, ((), ())
    return [
        maps[0] if maps else tap.compute(student, branch(batches, view)[0])
        for maps, view in zip(seen, views)
    ]
