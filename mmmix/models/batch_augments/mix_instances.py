"""Annotations of mixed samples: the union of their components' instances."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.functional.boxes import move_boxes
from mmmix.mixing.pair import Pair
from mmmix.mixing.placing import place_boxes, place_masks
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import MIX_IDS, MIX_VISIBILITY

INSTANCES = ('gt_instances', 'ignored_instances')


class Joined(NamedTuple):
    """Instances of all components of a pair.

    Attributes:
        instances: Component 0's first.
        counts: How many each component has.
    """

    instances: InstanceData
    counts: list[int]


def mix_instances(
    samples_a: Sequence[DetDataSample],
    samples_b: Sequence[DetDataSample],
    pairs: Sequence[Pair],
    components: Sequence[Sequence[int]],
    settings: MixerSettings,
    field: str,
) -> list[Joined | None]:
    """The unions of pairs; None where neither image has that field.

    Where nothing is cut, the boxes of all pairs are moved and joined at once.

    Args:
        samples_a: Batch a.
        samples_b: Batch b.
        pairs: Which of them are mixed.
        components: Which components of each pair stay.
        settings: The mixer's.
        field: One of ``INSTANCES``.

    Raises:
        ValueError: If instances of a pair have different fields.
    """
    parts: list[list[InstanceData] | None] = []
    for pair, numbers in zip(pairs, components):
        samples = samples_a[pair.index], samples_b[pair.partner]
        found = [samples[k].get(field) for k in numbers]
        where = f'{samples[0].get("img_path", "an image without img_path")}: {field}'
        some = any(instances is not None for instances in found)
        parts.append(
            _alike(found, where, field == 'ignored_instances') if some else None
        )
    there = [i for i, part in enumerate(parts) if part is not None]
    if not there:
        return [None] * len(pairs)
    chosen = [[rows[i] for i in there] for rows in (parts, pairs, components)]
    one_by_one = partial(_one_by_one, ignored=field == 'ignored_instances')
    mixes = _all_at_once if _are_alike(*chosen[:2]) else one_by_one
    unions = dict(zip(there, mixes(*chosen, settings)))
    return [unions.get(i) for i in range(len(pairs))]


def _are_alike(parts: Sequence[Sequence[InstanceData]], pairs: Sequence[Pair]) -> bool:
    """Whether all instances have the same fields, plain boxes among them, uncut."""
    every = [one for part in parts for one in part]
    first = every[0]
    return (
        all(pair.region is None for pair in pairs)
        and type(first.get('bboxes')) is Tensor
        and all(
            set(one.keys()) == set(first.keys())
            and type(one.bboxes) is Tensor
            and one.bboxes.dtype == first.bboxes.dtype
            for one in every
        )
    )


def _all_at_once(
    parts: Sequence[Sequence[InstanceData]],
    pairs: Sequence[Pair],
    components: Sequence[Sequence[int]],
    settings: MixerSettings,
) -> list[Joined]:
    """Unions of pairs that are only blended."""
    placed, places, ids = [], [], []
    for part, pair, numbers in zip(parts, pairs, components):
        for instances, k in zip(part, numbers):
            placed.append(_plain(instances))
            places.append((len(instances), pair.sizes[k], pair.offsets[k]))
            ids += [k] * len(instances)
    masks = [one.pop('masks', None) for one in placed]
    merged = InstanceData.cat(placed) if len(placed) > 1 else _plain(placed[0])
    merged.bboxes = move_boxes(merged.bboxes, places)
    if settings.keep == 'all':
        device = merged.bboxes.device
        merged[MIX_IDS] = torch.tensor(ids, dtype=torch.int64).to(
            device, non_blocking=True
        )
    counts = [[len(one) for one in part] for part in parts]
    ends = list(accumulate(map(sum, counts)))
    unions = [
        Joined(merged[end - sum(count) : end], count)
        for end, count in zip(ends, counts)
    ]
    start = 0
    for union, pair, numbers in zip(unions, pairs, components):
        own = masks[start : start + len(numbers)]
        start += len(numbers)
        if own[0] is not None:
            union.instances.masks = place_masks(own, numbers, pair, False)
    return unions


def _one_by_one(
    parts: Sequence[Sequence[InstanceData]],
    pairs: Sequence[Pair],
    components: Sequence[Sequence[int]],
    settings: MixerSettings,
    ignored: bool,
) -> list[Joined]:
    """Unions of any pairs; ``ignored`` says whether all boxes are to ignore."""
    placed, seen = [], []
    for part, pair, numbers in zip(parts, pairs, components):
        for instances, component in zip(part, numbers):
            one, stays = _place(instances, component, pair, settings, ignored)
            placed.append(one)
            seen.append(stays)
    placed = _seen_alone(placed, seen)
    ends = list(accumulate(map(len, components)))
    return [
        _union(placed[end - len(row[-1]) : end], *row, settings)
        for end, row in zip(ends, zip(pairs, components))
    ]


def _seen_alone(
    placed: Sequence[InstanceData], seen: Sequence[Tensor | None]
) -> list[InstanceData]:
    """Instances without those of which too little is seen.

    What is seen of the whole batch is read once, so that a GPU waits once.
    """
    given = [stays for stays in seen if stays is not None]
    flags = iter(torch.cat(given).tolist()) if given else iter(())
    kept = []
    for instances, stays in zip(placed, seen):
        if stays is not None:
            own = [next(flags) for _ in range(len(stays))]
            if not all(own):
                indices = torch.tensor([i for i, flag in enumerate(own) if flag]).long()
                instances = instances[indices.to(stays.device, non_blocking=True)]
        kept.append(instances)
    return kept


def _alike(
    found: Sequence[InstanceData | None], where: str, common: bool
) -> list[InstanceData]:
    """The components' instances with the same fields.

    One without instances takes the fields of the other. Boxes to ignore may come
    with labels or without, so of them the fields that both have are kept.

    Args:
        found: Those of each component, or None.
        where: What to call them in an error.
        common: Whether to keep the common fields.

    Raises:
        ValueError: If they differ and shall not.
    """
    filled = [one for one in found if one is not None and len(one)]
    if not filled:
        filled = [max((one for one in found if one is not None), key=_num_fields)]
    parts = [one if one is not None and len(one) else filled[0][:0] for one in found]
    keys = [set(part.keys()) for part in parts]
    if all(one == keys[0] for one in keys):
        return parts
    if not common:
        raise ValueError(
            f'{where} of the two images to mix have different fields, '
            f'{" and ".join(str(sorted(one)) for one in keys)}'
        )
    kept = set.intersection(*keys)
    return [
        InstanceData(**{key: value for key, value in part.items() if key in kept})
        for part in parts
    ]


def _num_fields(instances: InstanceData) -> int:
    return len(instances.keys())


def _union(
    placed: Sequence[InstanceData],
    pair: Pair,
    components: Sequence[int],
    settings: MixerSettings,
) -> Joined:
    """Instances of all components, numbered unless only the dominant ones stay."""
    masks = [part.pop('masks', None) for part in placed]
    merged = InstanceData.cat(placed)
    counts = [len(part) for part in placed]
    if settings.keep == 'all':
        values = [value for value in placed[0].values() if hasattr(value, 'device')]
        ids = torch.tensor([k for k, n in enumerate(counts) for _ in range(n)])
        device = values[0].device if values else ids.device
        merged[MIX_IDS] = ids.long().to(device, non_blocking=True)
    if masks[0] is not None:
        clips = pair.region is not None and settings.clips
        merged.masks = place_masks(masks, components, pair, clips)
    return Joined(merged, counts)


def _plain(instances: InstanceData) -> InstanceData:
    """A copy; labels of nothing, which numpy makes floats, are integers in it."""
    plain = InstanceData(**dict(instances.items()))
    if not len(instances) and 'labels' in plain:
        plain.labels = plain.labels.long()
    return plain


def _place(
    instances: InstanceData,
    component: int,
    pair: Pair,
    settings: MixerSettings,
    ignored: bool,
) -> tuple[InstanceData, Tensor | None]:
    """A component's instances, moved and cut as its image is, but for the masks.

    Returns:
        All of them, and which of them stay, bool; None if all do.
    """
    placed = _plain(instances)
    if 'bboxes' not in placed:
        return placed, None
    placed.bboxes, visibility, seen = place_boxes(
        instances.bboxes, pair, component, settings, ignored
    )
    if visibility is not None and settings.keep == 'all':
        placed[MIX_VISIBILITY] = visibility
    return placed, seen
