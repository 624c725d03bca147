"""The annotations of a mixed batch, and how they split into components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mmengine.structures import InstanceData
from torch import Tensor

from .mix_fields import (
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
    def supervision(self) -> Any:
        """The stamp of the batch's mixer; None without one.

        Raises:
            ValueError: If two mixers with different supervisions met in the batch.
        """
        stamps = [meta.get(MIX_SUPERVISION) for meta in self.metas]
        found = [stamp for stamp in stamps if stamp is not None]
        for stamp in found[1:]:
            if stamp != found[0]:
                raise ValueError(
                    f'the samples of a batch carry two supervisions, {found[0]} and '
                    f'{stamp}; give all mixers of one batch the same supervision'
                )
        return found[0] if found else None

    @property
    def weights(self) -> list[tuple[float, ...]]:
        """Component weights per image, filled with zeros to one length K >= 2."""
        weights = [get_mix_weights(meta) for meta in self.metas]
        num_components = max(2, *map(len, weights))
        return [w + (0.0,) * (num_components - len(w)) for w in weights]

    def with_factors(self, factors: Sequence[Factors]) -> Annotations:
        """The same images with these factors, one per image."""
        metas = [
            {**meta, LOSS_FACTORS: factor} for meta, factor in zip(self.metas, factors)
        ]
        return self._replace(metas=metas)


def split_components(batch: Annotations) -> list[Annotations]:
    """Split a batch into one batch per component, each of all N images.

    An unmixed image is its own annotation in every component, so that each
    component batch has N images and therefore its own stock normaliser. There are
    at least two components, so that their number does not depend on what was drawn.

    Raises:
        TypeError, ValueError: If a mixing field is missing or invalid, with
            the image's name.
    """
    ids = [_instance_ids(batch, i, 'gt_instances') for i in range(len(batch.metas))]
    ignored_ids = [_instance_ids(batch, i, 'ignored') for i in range(len(batch.metas))]
    mixing = (MIX_WEIGHTS, MIX_SUPERVISION)
    metas = [
        {key: value for key, value in meta.items() if key not in mixing}
        for meta in batch.metas
    ]
    return [
        Annotations(
            [_select(*pair, k) for pair in zip(batch.gt_instances, ids)],
            metas,
            batch.ignored
            and [_select(*pair, k) for pair in zip(batch.ignored, ignored_ids)],
        )
        for k in range(len(batch.weights[0]))
    ]


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
    instance: Any = instances[index] if is_mixed(meta) and instances else None
    if not instance:
        return None
    where = _where(batch, index)
    if MIX_IDS not in instance:
        raise ValueError(
            f'{where}: {field} has boxes and the image has {MIX_WEIGHTS}, but no '
            f'{MIX_IDS} says which component each box came from. With MixImage, pack '
            'with PackMixInputs instead of PackDetInputs.'
        )
    if MIX_SUPERVISION in meta:
        return instance[MIX_IDS]
    try:
        return check_mix_ids(
            instance[MIX_IDS], len(instance), len(get_mix_weights(meta))
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f'{where}: {field}.{error}') from error


def _select(
    instances: InstanceData | None, ids: Tensor | None, component: int
) -> InstanceData | None:
    """Boxes of one component; all of them where there are no ids."""
    if ids is None or instances is None:
        return instances
    return instances[(ids == component).nonzero().squeeze(1)]
