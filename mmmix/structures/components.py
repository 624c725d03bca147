"""The annotations of a mixed batch, and how they split into components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mmengine.structures import InstanceData
from torch import Tensor

from .mix_fields import (
    MIX_COUNTS,
    MIX_IDS,
    MIX_SUPERVISION,
    MIX_VISIBILITY,
    MIX_WEIGHTS,
    check_mix_ids,
    check_mix_visibility,
    get_mix_weights,
    is_mixed,
)

LOSS_FACTORS = 'loss_factors'
"""Metainfo of an image of a part: its :class:`Factors`."""

BOX_WEIGHTS = 'box_weights'
"""Field of ``gt_instances``, shape ``(num_boxes,)``: factor of a box's loss."""

REGRESSION_WEIGHTS = 'regression_weights'
"""Field of ``gt_instances``, shape ``(num_boxes,)``: factor of the box regression.

A teacher sets it, to 0 for pseudo-boxes that shall be classified only.
"""


class Factors(NamedTuple):
    """What an image's terms count in the loss, both in [0, 1].

    Attributes:
        cls: Factor of every term but box regression.
        reg: Factor of box regression.
    """

    cls: float
    reg: float


class Annotations(NamedTuple):
    """Annotations of a batch of N images, as the heads of mmdet take them.

    A *part* is such a batch whose metainfo carries :class:`Factors`, or none, which
    means that every term counts in full.

    Attributes:
        gt_instances: N ``InstanceData`` with ``bboxes`` and ``labels``.
        metas: N metainfo dicts.
        ignored: N ``InstanceData`` or None, or None for the whole batch.
    """

    gt_instances: list[InstanceData]
    metas: list[dict[str, Any]]
    ignored: list[InstanceData | None] | None = None

    @property
    def mixed(self) -> bool:
        """Whether any image of the batch was mixed."""
        return any(is_mixed(meta) for meta in self.metas)

    @property
    def weights(self) -> list[tuple[float, ...]]:
        """Component weights per image, filled with zeros to one length K >= 2."""
        weights = [
            meta.get(MIX_WEIGHTS, (1.0,))
            if MIX_SUPERVISION in meta
            else get_mix_weights(meta)
            for meta in self.metas
        ]
        num_components = max(2, *map(len, weights))
        return [w + (0.0,) * (num_components - len(w)) for w in weights]

    def with_factors(self, factors: Sequence[Factors]) -> Annotations:
        """The same images with these factors, one per image."""
        metas = [
            {**meta, LOSS_FACTORS: factor} for meta, factor in zip(self.metas, factors)
        ]
        return self._replace(metas=metas)


def dominant_component(weights: Sequence[float]) -> int:
    """Index of the heaviest component; the later one wins a tie.

    With two components this is the rule of the BoxMix paper, eq. 7: component
    0 if λ > ½, component 1 otherwise.
    """
    return max(range(len(weights)), key=lambda k: (weights[k], k))


def split_components(batch: Annotations) -> list[Annotations]:
    """Split a batch into one batch per component, each of all N images.

    An unmixed image is its own annotation in every component, so that each
    component batch has N images and therefore its own stock normaliser. There are
    at least two components, so that their number does not depend on what was drawn.

    Raises:
        TypeError, ValueError: If a mixing field is missing or invalid, with
            the image's name.
    """
    num_components = len(batch.weights[0])
    dropped = (MIX_WEIGHTS, MIX_SUPERVISION, MIX_COUNTS)
    metas = [
        {key: value for key, value in meta.items() if key not in dropped}
        for meta in batch.metas
    ]
    pieces, ignored = (
        [_pieces(batch, i, field, num_components) for i in range(len(metas))]
        for field in ('gt_instances', 'ignored')
    )
    return [
        Annotations(
            [image[k] for image in pieces],
            metas,
            batch.ignored and [image[k] for image in ignored],
        )
        for k in range(num_components)
    ]


def _pieces(
    batch: Annotations, index: int, field: str, num_components: int
) -> list[InstanceData | None]:
    """An image's instances by component; the image's own if it is unmixed.

    Those of a component lie together where a mixer counted them, and nothing is read.
    """
    ids = _instance_ids(batch, index, field)
    instances: Any = getattr(batch, field)
    if ids is None:
        return [instances and instances[index]] * num_components
    boxes = instances[index]
    counts = batch.metas[index].get(MIX_COUNTS, {}).get(field, ())
    if len(counts) != num_components or sum(counts) != len(boxes):
        return [boxes[(ids == k).nonzero().squeeze(1)] for k in range(num_components)]
    ends = [sum(counts[: k + 1]) for k in range(num_components)]
    return [boxes[end - count : end] for end, count in zip(ends, counts)]


def with_box_weights(batch: Annotations) -> Annotations:
    """The union of all components, every box with its component's weight.

    Args:
        batch: Union annotations with their mixing fields.

    Returns:
        A batch whose ``gt_instances`` carry ``box_weights``: a float tensor of
        shape ``(num_boxes,)``, 1 for the boxes of unmixed images.

    Raises:
        TypeError, ValueError: As :func:`split_components`.
    """
    weighted = []
    for i, (instances, weights) in enumerate(zip(batch.gt_instances, batch.weights)):
        ids = _instance_ids(batch, i, 'gt_instances')
        boxes = instances.bboxes
        table = boxes.new_tensor(weights)
        instances = instances.new()
        instances[BOX_WEIGHTS] = (
            boxes.new_ones(len(boxes)) if ids is None else table[ids]
        )
        weighted.append(instances)
    return batch._replace(gt_instances=weighted)


def with_visibility(batch: Annotations) -> Annotations:
    """The union of all components, every box with its visible share as weight.

    Args:
        batch: Union annotations; those of mixed images carry ``mix_visibility``.

    Returns:
        A batch whose ``gt_instances`` carry ``box_weights``, as
        :func:`with_box_weights`.

    Raises:
        TypeError, ValueError: If ``mix_visibility`` is missing or invalid, with
            the image's name.
    """
    weighted = []
    for i, (instances, meta) in enumerate(zip(batch.gt_instances, batch.metas)):
        visibility = instances.bboxes.new_ones(len(instances.bboxes))
        if is_mixed(meta):
            visibility = _visibility(batch, i)
        instances = instances.new()
        instances[BOX_WEIGHTS] = visibility
        weighted.append(instances)
    return batch._replace(gt_instances=weighted)


def _visibility(batch: Annotations, index: int) -> Tensor:
    """Checked ``mix_visibility`` of a mixed image's boxes."""
    instances: Any = batch.gt_instances[index]
    where = _where(batch, index)
    if MIX_VISIBILITY not in instances:
        raise ValueError(
            f'{where}: gt_instances has no {MIX_VISIBILITY}. With MixImage, pack with '
            'PackMixInputs instead of PackDetInputs.'
        )
    visibility = instances[MIX_VISIBILITY]
    if MIX_SUPERVISION in batch.metas[index]:
        return visibility
    try:
        return check_mix_visibility(visibility, len(instances.bboxes))
    except (TypeError, ValueError) as error:
        raise type(error)(f'{where}: gt_instances.{error}') from error


def _where(batch: Annotations, index: int) -> str:
    """What to call an image in an error."""
    return str(batch.metas[index].get('img_path', f'image {index} of the batch'))


def _instance_ids(batch: Annotations, index: int, field: str) -> Tensor | None:
    """``mix_ids`` of an image; None if it is unmixed or has no boxes.

    What a mixer of ours has stamped was checked when it was written.
    """
    meta = batch.metas[index]
    instances: Sequence[InstanceData | None] = getattr(batch, field) or ()
    mixed = meta.get(MIX_WEIGHTS) is not None
    instance: Any = instances[index] if mixed and instances else None
    if not instance:
        return None
    if MIX_VISIBILITY in instance:
        raise ValueError(
            f'{_where(batch, index)}: CutMix has clipped {field} to what is visible, '
            'and a supervision that weighs by λ needs them whole. Give it to the mixer '
            '(CutMixBatch, CutMixImage), which then keeps them; or take Visible or '
            'Union'
        )
    if MIX_IDS not in instance:
        raise ValueError(
            f'{_where(batch, index)}: {field} has boxes and the image has '
            f'{MIX_WEIGHTS}, but no {MIX_IDS} says which component each box came from. '
            'With MixImage, pack with PackMixInputs instead of PackDetInputs.'
        )
    if MIX_SUPERVISION in meta:
        return instance[MIX_IDS]
    try:
        return check_mix_ids(
            instance[MIX_IDS], len(instance), len(get_mix_weights(meta))
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f'{_where(batch, index)}: {field}.{error}') from error
